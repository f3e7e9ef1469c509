"""The example of who may ask, served as its page says."""

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.plugins.web.postcards import EXAMPLES
from tests.plugins.web.serving import events_of
from tests.plugins.web.uvicorns import uvicorn_of

ADA, BOB = {"Cookie": "session=4fb1"}, {"Cookie": "session=90c2"}


@pytest.fixture
async def web(
    redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[httpx2.AsyncClient]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRAMEWORK_REDIS_URL", redis_url)
    monkeypatch.setenv("FRAMEWORK_PREFIX", prefix)
    monkeypatch.setenv("FRAMEWORK_PLUGINS", "web")
    monkeypatch.setenv("FRAMEWORK_WEB_SECRET", "a secret of this test alone")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    async with uvicorn_of("box_office:api") as web:
        yield web
    del sys.modules["box_office"]


async def test_members_start_tasks_and_staff_does_all(web: httpx2.AsyncClient) -> None:
    nobody = await web.get("/tasks")
    started = await web.post("/tasks/ticket", json={"row": 3}, headers=ADA)

    assert (nobody.status_code, nobody.json()["detail"]) == (401, "Log in first.")
    assert started.status_code == 202
    assert (await web.get("/tasks", headers=ADA)).status_code == 403
    assert (await web.get("/tasks", headers=BOB)).status_code == 200
    assert (await web.get(started.json()["links"]["self"], headers=BOB)).status_code == 200


async def test_a_page_watches_its_own_task(web: httpx2.AsyncClient) -> None:
    page = (await web.post("/seats/7", headers=ADA)).text
    (address,) = re.findall(r'EventSource\("(.*)"\)', page)

    async with web.stream("GET", address) as answer:
        events = [event async for event in events_of(answer)]

    assert events[0].name == "snapshot"
    last = events[-1]
    assert "row 7" in (last.data.get("result"), events[0].data["result"])
    plain = address.partition("?")[0]
    assert (await web.get(plain)).status_code == 401
    assert (
        await web.delete(f"{plain.removesuffix('/events')}?{address.partition('?')[2]}")
    ).status_code == 401
