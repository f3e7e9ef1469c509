"""The example of who may ask, served as its page says."""

import re

import httpx2

from tests.plugins.web.box_office import web
from tests.plugins.web.serving import events_of

__all__ = ["web"]
ADA, BOB = {"Cookie": "session=4fb1"}, {"Cookie": "session=90c2"}


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
