"""Our side, and the dashboard beside it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, BrowserContext

from tests.browser.board import Board, board_on, chromium
from tests.browser.demo import Demo, DemoPage, demo_page, make_demo, window_at
from tests.support.ours import ours

__all__ = ["anyio_backend", "board", "browser", "ours"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Name the backend for the whole run, since the browser lives as long."""
    return "asyncio"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def board(browser: Browser, redis_url: str, prefix: str) -> AsyncIterator[Board]:
    async with board_on(browser, redis_url, prefix, "q", "parents") as board:
        yield board


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with make_demo() as demo:
        yield demo


@pytest.fixture
async def window(browser: Browser, demo: Demo) -> AsyncIterator[BrowserContext]:
    async with window_at(browser, demo) as window:
        yield window


@pytest.fixture
async def tab(window: BrowserContext) -> DemoPage:
    return await demo_page(window)
