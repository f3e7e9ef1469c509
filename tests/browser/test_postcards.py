"""The example of a page that fills in when its job is done, as a person sees it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser, Page, expect

from tests.plugins.web.conftest import web_is_installed
from tests.plugins.web.postcards import postcards

__all__ = ["postcards", "web_is_installed"]
SHAPES = [(375, 700, "light"), (1280, 800, "dark")]


@pytest.fixture
async def page(browser: Browser, postcards: httpx2.AsyncClient) -> AsyncIterator[Page]:
    page = await browser.new_page(base_url=str(postcards.base_url))
    page.set_default_timeout(10_000)
    await page.goto("/")
    yield page
    await page.close()


async def test_the_bar_moves_until_the_picture_comes(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postcards.STROKE", 0.2)
    await page.add_init_script("""
      window.seen = new Set();
      setInterval(() => seen.add(document.getElementById("bar")?.value), 5);
    """)

    await page.get_by_label("Text").fill("Hello")
    await page.get_by_role("button", name="Draw").click(no_wait_after=True)
    await expect(page.get_by_role("progressbar", name="Being drawn")).to_be_visible()
    await expect(page.get_by_role("img", name="Hello")).to_be_visible()

    await expect(page.get_by_role("progressbar")).to_be_hidden()
    assert await page.evaluate("seen.size") >= 5


async def test_a_reader_aborts_and_retries(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postcards.STROKE", 0.3)
    await page.get_by_label("Text").fill("never mind")
    await page.get_by_role("button", name="Draw").click(no_wait_after=True)

    await page.get_by_role("button", name="Abort").click()
    await expect(page.get_by_role("alert")).to_contain_text("It failed: cancelled")
    monkeypatch.setattr("postcards.STROKE", 0.01)
    await page.get_by_role("button", name="Retry").click()

    await expect(page.get_by_role("img", name="never mind")).to_be_visible()


@pytest.mark.parametrize(("width", "height", "scheme"), SHAPES)
async def test_it_fits_the_screen(page: Page, width: int, height: int, scheme: str) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.get_by_label("Text").fill("Greetings")
    await page.get_by_label("Text").press("Enter")

    await expect(page.get_by_role("img", name="Greetings")).to_be_visible()

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if folder := os.environ.get("BOARD_PICTURES"):
        await page.screenshot(path=Path(folder) / f"postcard-{width}-{scheme}.png")
