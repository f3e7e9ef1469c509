"""A page that starts a task and shows it, as the README of the module tells to write one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, Page, Route

HTML = """<!doctype html>
<html lang="en">
<title>Report</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 sans-serif; }
  main { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
  progress { width: 100%; height: 1.5rem; }
</style>
<main>
  <h1>Report</h1>
  <label for="bar">Progress</label>
  <progress id="bar" max="100" value="0"></progress>
  <p role="status" id="status"></p>
  <p id="result"></p>
  <button id="start">Start</button> <button id="abort">Abort</button>
  <button id="retry">Retry</button>
</main>
<script type="module">
  import { createTask } from "/framework-web/index.js";

  const asked = new URLSearchParams(location.search);
  const id = location.hash.slice(1) || undefined;
  const times = { patience: 100, poll: 20, retry: 20 };
  const task = createTask("/tasks/report", { id, times });
  const find = (name) => document.getElementById(name);
  window.seen = [];
  window.ends = [];

  function show({ id, status, percentage, result, error, connection }) {
    if (id !== null) history.replaceState(null, "", `#${id}`);
    find("bar").value = percentage ?? 0;
    find("status").textContent = error?.message ?? status;
    find("result").textContent = result === null ? "" : JSON.stringify(result);
    document.body.dataset.connection = connection;
    if (percentage !== null && seen.at(-1) !== percentage) seen.push(percentage);
  }
  task.subscribe({
    onUpdate: show,
    onComplete: (result) => ends.push(result),
    onError: (error) => ends.push(`${error.kind}: ${error.message}`),
  });
  show(task.getState());
  find("start").onclick = () => task.start(JSON.parse(asked.get("data")));
  find("abort").onclick = () => task.abort();
  find("retry").onclick = () => task.retry();
</script>
"""


class TaskPage:
    """What a person sees and clicks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bar = page.get_by_role("progressbar", name="Progress")
        self.status = page.get_by_role("status")
        self.result = page.locator("#result")

    async def click(self, name: str) -> None:
        """Click a button by its words."""
        await self.page.get_by_role("button", name=name).click()

    async def kept(self, name: str) -> list[object]:
        """Return what the page kept: values of its bar as ``seen``, callbacks as ``ends``."""
        found: list[object] = await self.page.evaluate(name)
        return found


@asynccontextmanager
async def page_at(browser: Browser, base: str) -> AsyncIterator[BrowserContext]:
    """Open a window whose ``/page`` is the page; an error in it fails the test."""
    context = await browser.new_context(base_url=base)
    context.set_default_timeout(10_000)
    wrong: list[str] = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))

    async def answer(route: Route) -> None:
        await route.fulfill(body=HTML, content_type="text/html")

    await context.route("**/page?*", answer)
    yield context
    await context.close()
    assert wrong == []
