"""The example of a page that watches by a token, as a person sees it."""

import httpx2
from playwright.async_api import Browser, expect

from tests.plugins.web.box_office import web
from tests.plugins.web.conftest import web_is_installed

__all__ = ["web", "web_is_installed"]


async def test_the_bar_is_full_though_the_task_may_have_ended_before(
    browser: Browser, web: httpx2.AsyncClient
) -> None:
    booked = await web.post("/seats/7", headers={"Cookie": "session=4fb1"})
    page = await browser.new_page(base_url=str(web.base_url))
    await page.route(
        "**/page", lambda route: route.fulfill(body=booked.text, content_type="text/html")
    )
    await page.goto("/page")

    await expect(page.get_by_role("progressbar")).to_have_js_property("value", 100)
    await page.close()
