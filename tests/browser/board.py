"""bull-board, the dashboard that BullMQ's users look at, in a real browser."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import Browser, Locator, Page, async_playwright

from tests.support.node_process import node_binary

BOARD = Path(__file__).with_name("node") / "board.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What it does in the background would look for hosts that a test machine does not reach.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
RETRY, PROMOTE, REMOVE, MENU = "refresh-cw", "corner-up-left", "trash-2", "ellipsis-vertical"


class Board:
    """What a person sees and clicks."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self._address = address

    async def home(self) -> None:
        """Look at all queues."""
        await self.page.goto(self._address)

    async def schedulers(self) -> None:
        """Look at the job schedulers of all queues."""
        await self.page.goto(f"{self._address}/job-schedulers")

    async def queue(self, queue: str, status: str = "") -> None:
        """Look at a queue's jobs, or those in one state."""
        asked = f"?status={status}" if status else ""
        await self.page.goto(f"{self._address}/queue/{queue}{asked}")
        await self.page.get_by_role("link", name="LATEST").wait_for()

    async def job(self, queue: str, job_id: str, tab: str | None = None) -> None:
        """Look at one job, and at one of its tabs."""
        await self.page.goto(f"{self._address}/queue/{queue}/{quote(job_id, safe='')}")
        await self.page.get_by_role("tablist").wait_for()
        if tab is not None:
            await self.page.get_by_role("tab", name=tab).click()

    @property
    def main(self) -> Locator:
        """All but the frame of the page."""
        return self.page.locator("main")

    @property
    def panel(self) -> Locator:
        """What the tab shows that is open."""
        return self.main.get_by_role("tabpanel")

    async def click_icon(self, icon: str) -> None:
        """Click the first button with an icon: `RETRY`, `PROMOTE`, `REMOVE`, `MENU`."""
        await self.main.locator(f"button:has(svg.lucide-{icon})").first.click()

    async def click(self, name: str) -> None:
        """Click a button by its words."""
        await self.main.get_by_role("button", name=name).click()

    async def choose(self, item: str) -> None:
        """Choose from a queue's menu."""
        await self.click_icon(MENU)
        await self.page.get_by_role("menuitem", name=item).click()

    async def confirm(self) -> None:
        """Say yes to "Are you sure?"."""
        await self.page.get_by_role("button", name="Confirm").click()
        await self.page.get_by_role("alertdialog").wait_for(state="hidden")

    async def picture(self, name: str) -> None:
        """Keep a picture, where BOARD_PICTURES names a folder for them."""
        if folder := os.environ.get("BOARD_PICTURES"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_binary(), args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def board_on(
    browser: Browser, redis_url: str, prefix: str, *queues: str
) -> AsyncIterator[Board]:
    """Serve the dashboard for queues, and open it in a window of its own."""
    server = subprocess.Popen(  # noqa: ASYNC220, S603 - our own script, on a node just looked up
        [node_binary(), str(BOARD), redis_url, prefix, *queues],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert server.stdout is not None
    with server:
        try:
            address = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            page = await browser.new_page(viewport={"width": 1600, "height": 1000})
            page.set_default_timeout(10_000)
            yield Board(page, address)
            await page.close()
        finally:
            server.terminate()


def browser_binary() -> str:
    """Find Chromium."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("no Chromium on PATH: `make browser` installs it on Debian")
