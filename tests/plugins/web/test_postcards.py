"""The example of a page that fills in when its job is done."""

import re
from datetime import timedelta

import httpx2
import pytest

from tests.plugins.web.postcards import postcards

__all__ = ["postcards"]


async def parts_of(postcards: httpx2.AsyncClient, text: str) -> list[str]:
    """Order a card, and return its page in the parts in which it came."""
    ordered = await postcards.post("/items", data={"text": text})
    assert ordered.status_code == 303
    async with postcards.stream("GET", ordered.headers["location"]) as page:
        return [part async for part in page.aiter_text()]


async def test_the_page_is_there_before_its_picture(postcards: httpx2.AsyncClient) -> None:
    first, *rest = await parts_of(postcards, "Hello <Ada>")

    assert 'id="bar"' in first
    assert "</svg>" not in first
    assert "Hello &lt;Ada&gt;</text></svg></figure>" in "".join(rest)


async def test_a_job_that_failed_says_why_on_the_page(postcards: httpx2.AsyncClient) -> None:
    page = "".join(await parts_of(postcards, ""))

    assert "It failed: there is nothing to write" in page
    (retry,) = re.findall(r'action="(/items/[\w-]+/retry)"', page)
    for _ in range(2):  # a button may be pressed twice
        again = await postcards.post(retry)
        assert (again.status_code, again.headers["location"]) == (303, retry.removesuffix("/retry"))


async def test_a_page_of_a_job_that_ended_is_whole_at_once_and_of_none_is_none(
    postcards: httpx2.AsyncClient,
) -> None:
    ordered = await postcards.post("/items", data={"text": "twice"})
    await postcards.get(ordered.headers["location"])

    again = await postcards.get(ordered.headers["location"])

    assert "twice</text></svg>" in again.text
    assert (await postcards.get("/items/nobody")).status_code == 404


async def test_a_job_that_takes_long_has_a_link_to_look_again(
    postcards: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postcards.PATIENCE", timedelta(milliseconds=20))

    page = "".join(await parts_of(postcards, "slow"))

    assert "It takes long: look again" in page
    assert "</svg>" not in page
