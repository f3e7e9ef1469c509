"""The demo's page on small and large screens, by keyboard alone, and as screen readers hear it."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.demo import Demo, DemoPage, demo_page, window_at

# The contrast of each text with what is behind it, as WCAG 2 reckons it.
CONTRASTS = """() => {
  const linear = (v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const found = parts(getComputedStyle(one).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const told = [];
  for (const one of document.querySelectorAll("main *")) {
    const text = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!(text || one.matches("input")) || !one.checkVisibility()) continue;
    const colour = parts(getComputedStyle(one).color).slice(0, 3);
    const [high, low] = [light(colour), light(behind(one))].sort((a, b) => b - a);
    told.push([one.textContent.trim() || one.value, (high + 0.05) / (low + 0.05)]);
  }
  return told;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(375, 667), (1280, 800)])
async def test_it_fits_the_screen_and_can_be_read(
    browser: Browser, demo: Demo, width: int, height: int, scheme: str
) -> None:
    async with window_at(browser, demo) as window:
        tab = await demo_page(window)
        await tab.page.set_viewport_size({"width": width, "height": height})
        await tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await tab.keep_picture(f"demo-{width}-{scheme}-idle")

        await tab.paint("It fails once, and is tried again")
        await tab.comes_to("Trying again soon")
        await expect(tab.problem).not_to_be_empty()

        await tab.keep_picture(f"demo-{width}-{scheme}")
        assert await tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        contrasts: list[tuple[str, float]] = await tab.page.evaluate(CONTRASTS)
        assert len(contrasts) > 10
        assert [one for one in contrasts if one[1] < 4.5] == []
        await tab.button("Abort").click()
        await tab.comes_to("Aborted")


async def test_a_keyboard_is_enough(tab: DemoPage) -> None:
    press = tab.page.keyboard.press

    await press("Tab")
    await focus_is_seen_on(tab.page, "title")
    await press("Control+A")
    await tab.page.keyboard.type("By keyboard")
    await press("Tab")
    assert await focused(tab.page) == "0"
    await focus_is_seen_on(tab.page, "")
    await press("ArrowDown")
    await press("ArrowUp")
    await press("Tab")
    assert await focused(tab.page) == "Paint"
    await press("Enter")
    await tab.reaches(1)
    await press("Tab")
    await press("Tab")
    await focus_is_seen_on(tab.page, "abort")
    await press("Enter")
    await tab.comes_to("Aborted")
    await focus_is_seen_on(tab.page, "retry")
    await press("Space")
    await tab.comes_to("Painted")
    assert await focused(tab.page) == "Painted"


async def focused(page: Page) -> str:
    """Return the value or the words of what has the focus."""
    found: str = await page.evaluate(
        "document.activeElement.value || document.activeElement.textContent.trim()"
    )
    return found


async def focus_is_seen_on(page: Page, element_id: str) -> None:
    """Check what has the focus, and that it has a ring."""
    await page.wait_for_function("id => document.activeElement.id === id", arg=element_id)
    style, width = await page.evaluate(
        "(({outlineStyle, outlineWidth}) => [outlineStyle, parseFloat(outlineWidth)])"
        "(getComputedStyle(document.activeElement))"
    )
    assert style != "none"
    assert width >= 2


async def test_a_screen_reader_hears_what_it_is_and_how_far(tab: DemoPage) -> None:
    main = tab.page.get_by_role("main")
    await expect(main).to_match_aria_snapshot("""
      - heading "Paint a landscape" [level=1]
      - textbox "Title": A quiet morning
      - group "How it goes":
        - radio "All goes well" [checked]
        - radio "It fails once, and is tried again"
        - radio "It fails until you retry it"
      - button "Paint"
      - button "Paint on a page of its own"
      - region "The picture":
        - paragraph:
          - status: Nothing painted yet
    """)

    await tab.paint()
    await tab.reaches(4)

    bar = await heard(tab.page, "progressbar")
    assert bar["name"] == "Progress"
    assert 50 <= bar["value"] < 100
    assert (bar["valuemin"], bar["valuemax"]) == (0, 100)
    status = await heard(tab.page, "status")
    assert status["live"] == "polite"
    await expect(tab.picture).to_be_visible()
    await tab.comes_to("Painted")


async def heard(page: Page, role: str) -> dict[str, Any]:
    """Return what the browser tells assistive technology of the one element of a role."""
    session = await page.context.new_cdp_session(page)
    tree = await session.send("Accessibility.getFullAXTree")
    await session.detach()
    (node,) = (one for one in tree["nodes"] if one.get("role", {}).get("value") == role)
    told = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
    value = node.get("value", {}).get("value")
    return {**told, "name": node["name"]["value"], "value": value}
