"""`make demo` in a browser: start a task, watch it, abort it, retry it, kill who works it."""

from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.demo import LAYERS, LONG, Demo, DemoPage, demo_page, window_at

PARTS = [100 * done / LAYERS for done in range(1, LAYERS + 1)]
MISHAP = "the brush fell into the lake"


async def test_a_started_task_moves_the_bar_and_shows_the_picture(tab: DemoPage) -> None:
    await expect(tab.status).to_have_text("Nothing painted yet")
    await expect(tab.bar).to_be_hidden()

    await tab.paint()
    await expect(tab.status).to_have_text("Painting")
    await tab.reaches(2)
    unfinished = await tab.picture.get_attribute("src")
    await tab.comes_to("Painted")

    assert await tab.seen() == PARTS
    assert await tab.picture.get_attribute("src") != unfinished
    assert await tab.picture.evaluate("img => img.complete && img.naturalWidth > 0")
    await expect(tab.button("Abort")).to_be_hidden()


async def test_after_its_worker_was_killed_the_bar_goes_on(tab: DemoPage, demo: Demo) -> None:
    killed = demo.worker
    await tab.paint()
    await tab.reaches(3)

    demo.kill_worker()
    await tab.comes_to("Painted")

    assert await tab.seen() == PARTS
    assert demo.worker != killed


async def test_a_page_that_is_loaded_anew_goes_on(tab: DemoPage) -> None:
    await tab.paint()
    await tab.reaches(3)

    await tab.page.reload()
    await tab.reaches(4)
    await tab.comes_to("Painted")

    seen = await tab.seen()
    assert len(seen) < LAYERS
    assert seen == PARTS[-len(seen) :]


async def test_two_tabs_agree(tab: DemoPage, window: BrowserContext) -> None:
    await tab.paint()
    await tab.reaches(1)

    other = await demo_page(window, tab.page.url)
    for one in (tab, other):
        await one.comes_to("Painted")

    seen = await other.seen()
    assert await tab.seen() == PARTS
    assert seen == PARTS[-len(seen) :]
    sources = [await one.picture.get_attribute("src") for one in (tab, other)]
    assert sources[0] == sources[1]


async def test_an_aborted_task_ends_and_is_painted_on_after_a_retry(tab: DemoPage) -> None:
    await tab.paint()
    await tab.reaches(2)

    await tab.button("Abort").click()
    await tab.comes_to("Aborted")
    left_at = (await tab.seen())[-1]
    await tab.button("Retry").click()
    await tab.comes_to("Painted")

    assert left_at < 100
    await expect(tab.problem).to_be_hidden()


async def test_a_failing_task_says_why_is_tried_again_and_retried(tab: DemoPage) -> None:
    await tab.paint("It fails until you retry it")

    await tab.comes_to("Trying again soon")
    await expect(tab.problem).to_have_text(MISHAP)
    await tab.comes_to("Failed")
    await expect(tab.problem).to_have_text(MISHAP)
    await tab.keep_picture("demo-failed")
    unfinished = await tab.picture.get_attribute("src")
    await tab.page.reload()
    await tab.comes_to("Failed")
    await expect(tab.picture).to_have_attribute("src", unfinished or "")
    await tab.button("Retry").click()
    await tab.comes_to("Painted")

    await expect(tab.problem).to_be_hidden()
    await expect(tab.button("Retry")).to_be_hidden()


async def test_a_page_of_its_own_is_there_at_once_and_fills_in(tab: DemoPage) -> None:
    await tab.page.get_by_label("Title").fill("By the sea & <far> away")
    await tab.button("Paint on a page of its own").click(no_wait_after=True)

    await tab.page.wait_for_url("**/items/*", wait_until="commit")
    await expect(tab.status).to_have_text("Painting")
    assert await tab.page.evaluate("document.readyState") == "loading"
    picture = tab.page.get_by_role("img", name="By the sea & <far> away")
    await expect(picture).to_be_visible(timeout=LONG)

    await expect(tab.bar).to_be_hidden()
    assert len(await tab.seen()) >= 5
    await tab.page.reload()
    await expect(picture).to_be_visible(timeout=LONG)


async def test_a_page_of_its_own_needs_no_scripts(browser: Browser, demo: Demo) -> None:
    async with window_at(browser, demo, scripts=False) as window:
        tab = await demo_page(window)
        await tab.page.get_by_label("It fails until you retry it").check()
        await tab.button("Paint").click(no_wait_after=True)
        await expect(tab.problem).to_have_text(f"It failed: {MISHAP}", timeout=LONG)

        await tab.button("Retry").click(no_wait_after=True)

        picture = tab.page.get_by_role("img", name="A quiet morning")
        await expect(picture).to_be_visible(timeout=LONG)
