"""Following tasks by server-sent events, over real sockets."""

import json
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, MutableMapping
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from functools import partial

import anyio
import httpx2
import pytest

from framework.app.application import Application
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework_web.sse import EventStream
from tests.plugins.web.serving import GATES, Event, events_of, gate, resize, serving
from tests.support.apps import Open
from tests.support.until import until


@pytest.fixture
def app(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> Application:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    return open_app(resize, plugins=("web",))


@pytest.fixture
async def web(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(app) as client:
        yield client


@pytest.fixture
def name() -> str:
    """A gate of this test's own."""
    return uuid.uuid4().hex


async def begin(web: httpx2.AsyncClient, **data: object) -> str:
    """Start a task; return where it is."""
    answer = await web.post("/tasks/resize", json={"width": 5, **data})
    return answer.headers["location"]


async def ended(web: httpx2.AsyncClient, at: str) -> dict[str, object]:
    async def look() -> dict[str, object] | None:
        found = (await web.get(at)).json()
        return found if found["state"] in {"completed", "failed"} else None

    return await until(look, message="it has ended")


async def read(
    web: httpx2.AsyncClient, path: str, last: str = "", until_name: str = ""
) -> list[Event]:
    """Read a stream to its end, or to the first event of a name."""
    headers = {"Last-Event-ID": last} if last else {}
    found: list[Event] = []
    with anyio.fail_after(8):
        async with web.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200
            async with aclosing(events_of(response)) as events:
                async for event in events:
                    found.append(event)
                    if event.name == until_name:
                        break
    return found


@asynccontextmanager
async def following(web: httpx2.AsyncClient, path: str) -> AsyncIterator[list[Event]]:
    """Collect the events of a stream for as long as the block lasts."""
    found: list[Event] = []

    async def follow() -> None:
        async with web.stream("GET", path) as response:
            assert response.status_code == 200
            async for event in events_of(response):
                found.append(event)  # noqa: PERF401 - the test looks at it meanwhile

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow)
        yield found
        tasks.cancel_scope.cancel()


def told(events: list[Event]) -> list[tuple[str, object]]:
    return [(one.name, one.data) for one in events if one.name not in {"snapshot", "state"}]


WHOLE = [
    ("progress", 20),
    ("log", {"row": "begun"}),
    ("chunk", {"index": 0, "attempt": 1, "data": "first"}),
    ("progress", {"percentage": 80, "message": "nearly"}),
    ("log", {"row": "nearly done"}),
    ("chunk", {"index": 1, "attempt": 1, "data": {"second": 2}}),
    ("completed", {"result": {"width": 5}}),
]


def beats(found: list[Event]) -> bool:
    """Whether the last three are heartbeats."""
    return found[-3:] == [Event("", "still here")] * 3


async def readers(store: Store) -> int:
    clients = (await store.command("CLIENT", "LIST", "TYPE", "normal")).decode()
    return sum("cmd=xread" in one and "flags=b" in one for one in clients.splitlines())


async def test_a_task_is_followed_to_its_end(web: httpx2.AsyncClient, name: str) -> None:
    at = await begin(web, gate=name)
    async with following(web, f"{at}/events") as found:
        await until(lambda: ("log", {"row": "begun"}) in told(found), message="it has begun")
        gate(name).set()
        await until(lambda: found[-1].name == "completed", message="it has ended")

    assert found[0].name == "snapshot"
    assert found[0].data["id"] == at.rpartition("/")[2]
    rows = [one.data["row"] for one in found if one.name == "log"]
    assert rows == ["begun", "nearly done"]
    assert [one.data["data"] for one in found if one.name == "chunk"] == ["first", {"second": 2}]
    assert WHOLE[3] in told(found)
    assert told(found)[-1] == WHOLE[-1]


async def test_the_bytes_of_a_stream(web: httpx2.AsyncClient) -> None:
    at = await begin(web)
    snapshot = await ended(web, at)

    async with web.stream("GET", f"{at}/events") as response:
        body = (await response.aread()).decode()

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    event_id = body.split("\n")[2].removeprefix("id: ")
    first, second = re.findall(r"id: \S+\.0\.(\S+)", body)
    assert body == (
        "retry: 2000\n\n"
        f"id: {event_id}\nevent: snapshot\n"
        f"data: {json.dumps(snapshot, separators=(',', ':'))}\n\n"
        f"id: {event_id}.0.{first}\nevent: chunk\n"
        'data: {"index":0,"attempt":1,"data":"first"}\n\n'
        f"id: {event_id}.0.{second}\nevent: chunk\n"
        'data: {"index":1,"attempt":1,"data":{"second":2}}\n\n'
        f'id: {event_id}.1.{second}\nevent: log\ndata: {{"row":"begun"}}\n\n'
        f'id: {event_id}.2.{second}\nevent: log\ndata: {{"row":"nearly done"}}\n\n'
    )


async def test_who_comes_back_misses_nothing_and_hears_nothing_twice(
    web: httpx2.AsyncClient, name: str
) -> None:
    at = await begin(web, gate=name)
    whole = await read(web, f"{at}/events", until_name="log")
    whole += await read(web, f"{at}/events", whole[-1].id, until_name="chunk")
    gate(name).set()
    await ended(web, at)

    for stop in ("progress", "log", ""):
        whole += await read(web, f"{at}/events", whole[-1].id, until_name=stop)

    for kind in ("chunk", "log", "completed"):
        assert [one for one in told(whole) if one[0] == kind] == [
            one for one in WHOLE if one[0] == kind
        ]
    assert [one for one in told(whole) if one[0] == "progress"][-1] == WHOLE[3]
    assert whole[-1].name == "completed"
    assert sum(one.name == "snapshot" for one in whole) == 1
    nothing_more = await web.get(f"{at}/events", headers={"Last-Event-ID": whole[-1].id})
    assert (nothing_more.status_code, nothing_more.content) == (204, b"")


async def test_who_comes_back_after_the_stream_was_trimmed_sees_it_anew(
    web: httpx2.AsyncClient, store: Store, prefix: str
) -> None:
    at = await begin(web)
    await ended(web, at)
    await store.command("XTRIM", QueueKeys(prefix, "pictures")["events"], "MAXLEN", 1)

    (first, *_) = await read(web, f"{at}/events", "1700000000000-0")

    assert (first.name, first.data["state"]) == ("snapshot", "completed")


@pytest.mark.parametrize("last", ["x", "1-", "$", "18446744073709551616-0", "1-0.x"])
async def test_an_odd_last_id_begins_anew(web: httpx2.AsyncClient, last: str) -> None:
    at = await begin(web)
    await ended(web, at)

    assert (await read(web, f"{at}/events", last))[0].name == "snapshot"


async def test_a_failing_task_ends_its_stream_with_the_reason(
    web: httpx2.AsyncClient, name: str
) -> None:
    at = await begin(web, gate=name, name="broken")
    async with following(web, f"{at}/events") as found:
        await until(lambda: len(found), message="it is followed")
        gate(name).set()
        await until(lambda: found[-1].name == "failed", message="it has failed")

    assert found[-1].data == {"error": "no picture", "attempts_made": 1}


async def test_a_task_that_is_tried_again_says_why_until_it_runs(
    app: Application, name: str
) -> None:
    def said(found: list[Event]) -> list[tuple[str, str | None]]:
        states = [one.data for one in found if one.name == "state"]
        return [(one["state"], one["error"]) for one in states if one["attempts_made"] == 1]

    async with serving(app) as web:
        data = {"width": 5, "name": "jammed", "gate": name}
        later = timedelta(hours=1)
        job = await app.queue("pictures").add("resize", data, attempts=2, backoff=later)
        async with following(web, f"/tasks/resize/{job.id}/events") as found:
            await until(lambda: len(found), message="it is followed")
            gate(name).set()
            await until(lambda: ("retrying", "paper jam") in said(found), message="it has failed")
            GATES[name] = anyio.Event()
            await app.queue("pictures").promote_job(job.id)
            await until(lambda: ("active", None) in said(found), message="it runs")
            gate(name).set()
            await until(lambda: found[-1].name == "completed", message="it has ended")

    # Who hears late of the first run is told that it was active, with what counts by now.
    since = said(found)[said(found).index(("retrying", "paper jam")) :]
    assert list(dict.fromkeys(since)) == [("retrying", "paper jam"), ("active", None)]


async def test_a_task_that_is_removed_ends_its_stream(
    app: Application,
) -> None:
    async with serving(app, work=False) as web:
        at = await begin(web)
        async with web.stream("GET", f"{at}/events") as response:
            events = events_of(response)
            assert (await anext(events)).data["state"] == "waiting"
            await app.queue("pictures").remove(at.rpartition("/")[2])
            with anyio.fail_after(5):
                last = await anext(events)
        assert (last.name, last.data["error"]) == ("failed", "the task was removed")
        assert (await web.get(f"{at}/events")).status_code == 404


async def test_moves_of_a_task_are_told(app: Application) -> None:
    async with serving(app, work=False) as web:
        at = await begin(web)
        async with web.stream("GET", f"{at}/events") as response:
            events = events_of(response)
            assert (await anext(events)).data["state"] == "waiting"
            for action, state in (("pause", "paused"), ("resume", "waiting")):
                await web.post(f"{at}/{action}")
                with anyio.fail_after(5):
                    event = await anext(events)
                assert (event.name, event.data["state"]) == ("state", state)


async def test_silence_is_broken_by_comments(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    monkeypatch.setenv("FRAMEWORK_WEB_HEARTBEAT", "0.02")
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        at = await begin(web)
        for path in (f"{at}/events", "/events"):
            async with following(web, path) as found:
                await until(partial(beats, found), message="it beats")


async def test_many_clients_cost_one_connection_and_leave_nothing(
    app: Application, web: httpx2.AsyncClient, store: Store, name: str
) -> None:
    at = await begin(web, gate=name)

    async def runs() -> bool:
        return bool((await web.get(at)).json()["state"] == "active")

    await until(runs, message="it runs")
    before = {one.id for one in anyio.get_running_tasks()}
    firsts: list[str] = []

    async def follow() -> None:
        async with web.stream("GET", f"{at}/events") as response:
            async for event in events_of(response):
                firsts.append(event.name)
                await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        for _ in range(150):
            tasks.start_soon(follow)
        await until(lambda: len(firsts) == 150, timeout=20, message="all follow")
        assert set(firsts) == {"snapshot"}

        async def one_reads() -> bool:
            return await readers(store) == 1

        await until(one_reads, message="one reads for all")
        tasks.cancel_scope.cancel()

    async def nobody_reads() -> bool:
        return await readers(store) == 0

    await until(nobody_reads, message="nobody reads")

    def left() -> list[str]:
        return [str(one) for one in anyio.get_running_tasks() if one.id not in before]

    await until(lambda: not left(), message="no task is left")
    gate(name).set()


async def test_all_tasks_are_followed_at_once(web: httpx2.AsyncClient) -> None:
    async with web.stream("GET", "/events?types=resize") as response:
        events = events_of(response)
        one, two = await begin(web), await begin(web, name="broken")
        found: list[Event] = []
        with anyio.fail_after(8):
            while sum(event.name in {"completed", "failed"} for event in found) < 2:
                found.append(await anext(events))
    ids = {one.rpartition("/")[2]: "completed", two.rpartition("/")[2]: "failed"}
    for task_id, ending in ids.items():
        own = [event for event in found if event.data["id"] == task_id]
        assert {event.data["type"] for event in own} == {"resize"}
        assert own[-1].name == ending
        assert next(event.data["progress"] for event in own if event.name == "progress") == 20

    resumed = await read(web, "/events", found[-2].id, until_name=found[-1].name)
    assert resumed[-1] == found[-1]


async def test_who_takes_nothing_is_dropped_and_costs_nothing_more() -> None:
    closed: list[bool] = []
    sent: list[object] = []

    async def frames() -> AsyncGenerator[bytes, None]:
        yield b"first"
        yield b"second"

    async def close() -> None:
        closed.append(True)

    async def send(message: MutableMapping[str, object]) -> None:
        sent.append(message.get("body"))
        if message.get("body") == b"first":
            await anyio.sleep_forever()

    async def receive() -> MutableMapping[str, object]:
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.fail_after(5):
        stream = EventStream(frames(), close, slow_seconds=0.01)
        await stream({"type": "http", "path": "/"}, receive, send)

    assert (sent, closed) == ([None, b"first"], [True])
