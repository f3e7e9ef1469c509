"""Following a queue over HTTP, as server-sent events."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest

from framework import Queue
from tests.plugins.gateway.conftest import Start, client_of

AT = "/queues/demo/events"
KIND = {"Accept": "text/event-stream"}


class Stream:
    """What an open stream has sent."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, str, dict[str, Any]]:
        """Return the next event: its id, its name, its data."""
        found: dict[str, str] = {}
        with anyio.fail_after(10):
            async for line in self._lines:
                name, _, text = line.partition(": ")
                if line and not line.startswith(":"):
                    found[name] = text
                elif found:
                    break
        return found["id"], found["event"], json.loads(found["data"])


@asynccontextmanager
async def following(
    http: httpx2.AsyncClient, query: str = "", **headers: str
) -> AsyncIterator[Stream]:
    async with http.stream("GET", AT + query, headers={**KIND, **headers}) as answer:
        assert answer.status_code == 200
        yield Stream(answer)


async def test_what_happens_is_told_from_the_moment_of_the_answer_on(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    await queue.add("before")
    async with following(http) as stream:
        job = await queue.add("n")
        told = [await stream.next() for _ in range(2)]

    assert stream.answer.headers["content-type"] == "text/event-stream"
    assert stream.answer.headers["cache-control"] == "no-store"
    assert [(name, data) for _, name, data in told] == [
        ("added", {"jobId": job.id, "name": "n"}),
        ("waiting", {"jobId": job.id}),
    ]


async def test_results_reasons_and_progress_are_json_values(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    async with following(http, "?events=completed,%20failed%20,progress") as stream:
        await queue.add_bulk([("n", 1), ("n", 2)])
        one, two = await queue.next_job("one"), await queue.next_job("two")
        assert one is not None
        assert two is not None
        await one.progress({"pct": 50})
        await one.complete({"ok": [1]})
        await two.fail("boom", unrecoverable=True)
        told = [await stream.next() for _ in range(3)]

    assert [(name, data) for _, name, data in told] == [
        ("progress", {"jobId": "1", "data": {"pct": 50}}),
        ("completed", {"jobId": "1", "returnvalue": {"ok": [1]}, "prev": "active"}),
        ("failed", {"jobId": "2", "failedReason": "boom", "prev": "active"}),
    ]


@pytest.mark.parametrize("by", ["header", "query"])
async def test_who_names_the_last_event_known_misses_nothing(
    http: httpx2.AsyncClient, queue: Queue, by: str
) -> None:
    async with following(http, "?events=waiting") as stream:
        await queue.add("n", 1)
        known, _, _ = await stream.next()
    await queue.add("n", 2)

    headers = {"Last-Event-ID": known} if by == "header" else {}
    query = "?events=waiting" + (f"&lastEventId={known}" if by == "query" else "")
    async with following(http, query, **headers) as stream:
        missed = await stream.next()
        await queue.add("n", 3)
        live = await stream.next()

    assert [data["jobId"] for _, _, data in (missed, live)] == ["2", "3"]


async def test_an_id_of_no_event_is_refused(http: httpx2.AsyncClient) -> None:
    answer = await http.get(AT, headers={**KIND, "Last-Event-ID": "x"})

    assert (answer.status_code, answer.text) == (400, "Invalid Last-Event-ID x")


async def test_who_asks_for_no_event_stream_is_told_to_upgrade(http: httpx2.AsyncClient) -> None:
    answer = await http.get(AT)

    assert (answer.status_code, answer.text) == (426, "Upgrade Required")


async def test_a_queue_is_heard_by_its_own_followers_alone(
    http: httpx2.AsyncClient,
    queue: Queue,
    app: Any,  # noqa: ANN401 - the fixture's
) -> None:
    async with following(http, "?events=waiting") as stream:
        await app.queue("other").add("n")
        job = await queue.add("n")
        _, _, data = await stream.next()

    assert data == {"jobId": job.id}


async def test_a_stream_ends_when_the_gateway_closes(start: Start) -> None:
    gateway = await start()
    async with client_of(gateway) as http, following(http) as stream:
        await gateway.close()
        with anyio.fail_after(5):
            rest = [line async for line in stream.answer.aiter_lines()]

    assert set(rest) <= {"", ":"}
