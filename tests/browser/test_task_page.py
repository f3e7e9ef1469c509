"""A page starts a task and watches it live, with the module and endpoints of the plugin `web`."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, BrowserContext, expect
from pydantic import BaseModel

from framework import Context, Job, UnrecoverableError
from framework_web import task
from tests.browser.task_page import TaskPage, page_at
from tests.plugins.web.conftest import web_is_installed
from tests.plugins.web.serving import gate, serving
from tests.support.apps import Open, open_app

__all__ = ["open_app", "web_is_installed"]
STEPS = [10, 20, 30, 40, 50, 60, 70, 80, 90]
RUNS: Counter[str] = Counter()


class Report(BaseModel):
    name: str
    gate_at: int = 0
    fails: int = 0


@task("report", concurrency=10)
async def report(job: Job[Report], ctx: Context) -> dict[str, str]:
    """Tell of each step; wait at one until the test has seen the page."""
    data = job.data
    RUNS[data.name] += 1
    for step in STEPS:
        await ctx.progress(step)
        if step == data.gate_at:
            await gate(data.name).wait()
    if RUNS[data.name] <= data.fails:
        raise UnrecoverableError("out of paper")
    return {"report": data.name}


@pytest.fixture
async def window(
    browser: Browser, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BrowserContext]:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    async with (
        serving(open_app(report, plugins=("web",))) as web,
        page_at(browser, str(web.base_url)) as window,
    ):
        yield window


async def open_page(window: BrowserContext, **data: object) -> TaskPage:
    """Open the page; its button starts a report with these data."""
    page = await window.new_page()
    await page.goto(f"/page?data={quote(Report.model_validate(data).model_dump_json())}")
    return TaskPage(page)


@pytest.fixture
def name() -> str:
    """A report of this test's own."""
    return uuid.uuid4().hex


async def test_a_started_task_moves_the_bar_and_shows_its_result(
    window: BrowserContext, name: str
) -> None:
    page = await open_page(window, name=name, gate_at=10)

    await page.click("Start")
    await expect(page.bar).to_have_js_property("value", 10)
    await expect(page.status).to_have_text("active")
    gate(name).set()

    await expect(page.status).to_have_text("completed")
    await expect(page.result).to_have_text(f'{{"report":"{name}"}}')
    assert await page.kept("seen") == STEPS
    assert await page.kept("ends") == [{"report": name}]


async def test_a_page_loaded_anew_goes_on_and_two_tabs_agree(
    window: BrowserContext, name: str
) -> None:
    page = await open_page(window, name=name, gate_at=50)
    await page.click("Start")
    await expect(page.bar).to_have_js_property("value", 50)

    await page.page.reload()
    await expect(page.bar).to_have_js_property("value", 50)
    other = TaskPage(await window.new_page())
    await other.page.goto(page.page.url)
    await expect(other.bar).to_have_js_property("value", 50)
    gate(name).set()

    for one in (page, other):
        await expect(one.status).to_have_text("completed")
        assert await one.kept("seen") == STEPS[4:]
    assert RUNS[name] == 1


async def test_a_failed_task_shows_its_error_and_is_retried(
    window: BrowserContext, name: str
) -> None:
    page = await open_page(window, name=name, fails=1)
    await page.click("Start")
    await expect(page.status).to_have_text("out of paper")

    await page.click("Retry")

    await expect(page.status).to_have_text("completed")
    assert await page.kept("ends") == ["failed: out of paper", {"report": name}]


async def test_a_task_that_runs_is_aborted(window: BrowserContext, name: str) -> None:
    page = await open_page(window, name=name, gate_at=30)
    await page.click("Start")
    await expect(page.bar).to_have_js_property("value", 30)

    await page.click("Abort")

    await expect(page.status).to_contain_text("cancelled")
    assert await page.kept("ends") == ["cancelled: cancelled: aborted"]


async def test_a_refused_start_says_what_does_not_fit(window: BrowserContext) -> None:
    page = TaskPage(await window.new_page())
    await page.page.goto("/page?data={}")

    await page.click("Start")

    await expect(page.status).to_have_text("The body does not fit: name.")


async def test_where_streams_are_blocked_the_task_is_polled(
    window: BrowserContext, name: str
) -> None:
    await window.route("**/events", lambda route: route.abort())
    page = await open_page(window, name=name, gate_at=40)
    await page.click("Start")
    await expect(page.bar).to_have_js_property("value", 40)
    await expect(page.page.locator("body")).to_have_attribute("data-connection", "polling")

    gate(name).set()

    await expect(page.status).to_have_text("completed")
