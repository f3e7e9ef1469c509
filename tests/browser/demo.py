"""`make demo` as a user starts it, and what a person sees and does on its page."""

import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.command import FOREIGN, Command, children_of
from tests.support.servers import free_port

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY / "app_template" / ".framework"
# Notes each value of the bar, in order, those that are shown for no time too.
NOTING = """
  window.seen = [];
  new MutationObserver((changes) => {
    const ofBar = changes.filter(({ target }) => target.id === "bar");
    const values = ofBar.slice(1).map(({ oldValue }) => Number(oldValue));
    if (ofBar.length > 0) values.push(ofBar.at(-1).target.value);
    for (const value of values) if (seen.at(-1) !== value) seen.push(value);
  }).observe(document, { attributeFilter: ["value"], attributeOldValue: true, subtree: true });
"""
LAYERS = 8
# Milliseconds for what takes six seconds on a quiet machine.
LONG = 30_000


class Demo:
    """A demo that runs.

    Args:
        make: What was called.
        url: Where its page is.
    """

    def __init__(self, make: Command, url: str) -> None:
        self._make = make
        self.url = url

    @property
    def worker(self) -> int:
        """The process that works now: `make` has dev, dev a supervisor, and that a worker."""
        (dev,) = children_of(self._make.process.pid)
        (worker,) = (one for child in children_of(dev) for one in children_of(child))
        return worker

    def kill_worker(self) -> None:
        """`kill -9` the process that works."""
        os.kill(self.worker, signal.SIGKILL)


@contextmanager
def make_demo() -> Iterator[Demo]:
    """Run it on a free port; the embedded server's data go again, unless they were there."""
    had_data = DATA.exists()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    port = free_port()
    process = subprocess.Popen(
        ["make", "demo"],  # noqa: S607 - as a user calls it
        cwd=REPOSITORY,
        env={**kept, "PORT": str(port), "FRAMEWORK_PREFIX": f"test-{uuid4().hex}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    make = Command(process)
    try:
        make.says("queue=picture", timeout=60)
        make.says("Ctrl-C ends everything")
        yield Demo(make, f"http://127.0.0.1:{port}")
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        make.ends()
        if process.stdout is not None:
            process.stdout.close()
        if not had_data:
            shutil.rmtree(DATA, ignore_errors=True)


class DemoPage:
    """What a person sees and does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bar = page.get_by_role("progressbar", name="Progress")
        self.status = page.get_by_role("status")
        self.problem = page.get_by_role("alert")
        self.picture = page.get_by_role("img", name="The landscape")

    def button(self, name: str) -> Locator:
        """Find a button by its words."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def paint(self, how: str = "All goes well") -> None:
        """Start a picture."""
        await self.page.get_by_label(how).check()
        await self.button("Paint").click()

    async def seen(self) -> list[float]:
        """Return the values of the bar so far, from where it began to move."""
        found: list[float] = await self.page.evaluate("seen.filter((value) => value > 0)")
        return found

    async def reaches(self, layers: int) -> None:
        """Wait until so many layers are painted, or more."""
        await self.page.wait_for_function(f"seen.at(-1) >= {100 * layers / LAYERS}")

    async def comes_to(self, status: str) -> None:
        """Wait until the status says so."""
        await expect(self.status).to_have_text(status, timeout=LONG)

    async def keep_picture(self, name: str) -> None:
        """Keep what it looks like, where BOARD_PICTURES names a folder."""
        if folder := os.environ.get("BOARD_PICTURES"):
            await self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@asynccontextmanager
async def window_at(
    browser: Browser, demo: Demo, *, scripts: bool = True
) -> AsyncIterator[BrowserContext]:
    """Open a window; an error in one of its pages fails the test."""
    window = await browser.new_context(base_url=demo.url, java_script_enabled=scripts)
    window.set_default_timeout(LONG)
    if scripts:
        await window.add_init_script(NOTING)
    wrong: list[str] = []
    window.on("weberror", lambda error: wrong.append(str(error.error)))
    yield window
    await window.close()
    assert wrong == []


async def demo_page(window: BrowserContext, path: str = "/") -> DemoPage:
    """Open the page in a tab."""
    page = await window.new_page()
    await page.goto(path)
    return DemoPage(page)
