"""A script starts a task over HTTP, and follows it to its end."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from pydantic import BaseModel, ValidationError

from framework_web.client import (
    RemoteTask,
    TaskClient,
    TaskFailedError,
    TaskRefusedError,
    TaskTimeoutError,
    TaskUnreachableError,
    TaskView,
)
from tests.plugins.web.client.scripted import Scripted, snapshot
from tests.support.servers import free_port
from tests.support.until import until

PROBLEM = {"title": "Unprocessable", "detail": "rows: too few", "errors": [{"field": "rows"}]}


class Rows(BaseModel):
    rows: int


async def heard(task: RemoteTask[object]) -> list[tuple[str, str, float | None]]:
    """Follow a task to its end."""
    return [(event.name, event.view.status, event.view.percentage) async for event in task.events()]


async def test_a_started_task_is_told_live_to_its_end(server: Scripted, client: TaskClient) -> None:
    server.accept()

    task = await client.start("report", Rows(rows=3), result=Rows, idempotency_key="once")
    posted, headers = server.posted, server.headers
    async with anyio.create_task_group() as tasks:

        async def play() -> None:
            watched = await server.stream()
            watched.snapshot(state="waiting", due_at="2026-01-02T03:04:05+00:00")
            watched.send("state", {"state": "active", "attempts_made": 0, "due_at": None})
            watched.send("progress", 20).send("progress", {"percentage": 60, "message": "half"})
            watched.send("log", {"row": "r"}).send("chunk", {"index": 0, "data": "c"})
            watched.send("state", {"state": "completed", "attempts_made": 1, "due_at": None})
            watched.send("news of tomorrow", {}).send("completed", {"result": {"rows": 3}})

        tasks.start_soon(play)
        events = [event async for event in task.events()]

    assert (task.type, task.id, posted) == ("report", "7", {"rows": 3})
    assert headers["idempotency-key"] == "once"
    assert [(one.name, one.view.status, one.view.percentage) for one in events] == [
        ("snapshot", "waiting", None),
        ("state", "active", None),
        ("progress", "active", 20),
        ("progress", "active", 60),
        ("log", "active", 60),
        ("chunk", "active", 60),
        ("state", "active", 60),
        ("completed", "completed", 60),
    ]
    assert events[0].view.due_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert events[-1].view.result == Rows(rows=3)


async def test_a_task_that_is_final_is_told_at_once(server: Scripted, client: TaskClient) -> None:
    task = client.task("report", "7")

    async with anyio.create_task_group() as tasks:

        async def play() -> None:
            (await server.stream()).snapshot(state="completed", result=[1]).end()

        tasks.start_soon(play)
        result = await task.wait()

    assert result == [1]
    assert server.asked == ["GET /tasks/report/7/events"]


async def test_what_a_task_that_is_final_streamed_is_told_whole(
    server: Scripted, client: TaskClient
) -> None:
    task = client.task("report", "7")
    failed = {"state": "failed", "error": "out of ink"}

    async def play() -> None:
        first = await server.stream()
        first.snapshot(**failed).send("chunk", {"index": 0, "data": "a"}, "5-0").cut()
        second = await server.stream()
        assert second.headers["last-event-id"] == "5-0"
        second.send("chunk", {"index": 1, "data": "b"}, "6-0").send("log", {"row": "bye"}).end()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play)
        events = [event async for event in task.events()]

    assert [event.name for event in events] == ["snapshot", "chunk", "chunk", "log"]
    assert [event.data["data"] for event in events[1:3]] == ["a", "b"]
    assert all(event.view.is_final for event in events)
    assert server.asked == 2 * ["GET /tasks/report/7/events"]


async def test_what_a_line_that_broke_missed_comes_later(
    server: Scripted, client: TaskClient
) -> None:
    task = client.task("report", "7")
    cursors: list[str | None] = []

    async def play() -> None:
        first = await server.stream()
        first.snapshot().send("progress", 10, "5-0").send("chunk", {"index": 0, "data": "a"})
        first.write('id: 6-0\nevent: progress\ndata: {"half').cut()
        second = await server.stream()
        second.send("chunk", {"index": 0, "data": "a"}).send("progress", 20, "6-0").end()
        third = await server.stream()
        third.send("failed", {"error": "out of paper", "attempts_made": 3}, "7-0")
        cursors.extend(one.headers.get("last-event-id") for one in (first, second, third))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play)
        told = await heard(task)

    assert cursors == [None, "5-0", "6-0"]
    assert told == [
        ("snapshot", "active", None),
        ("progress", "active", 10),
        ("chunk", "active", 10),
        ("progress", "active", 20),
        ("failed", "failed", 20),
    ]


async def test_a_server_that_is_not_well_is_asked_again(
    server: Scripted, client: TaskClient
) -> None:
    events = "GET /tasks/report/7/events"
    server.answer(events, 503, {"detail": "busy"}, {"Retry-After": "0"})
    task = client.task("report", "7")

    async def play() -> None:
        await until(lambda: server.asked.count(events) == 1)
        server.forget(events)
        (await server.stream()).snapshot(state="completed", result="well")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play)
        assert await task.wait() == "well"


async def test_nothing_after_what_it_knows_means_to_look_again(
    server: Scripted, client: TaskClient
) -> None:
    events = "GET /tasks/report/7/events"
    task = client.task("report", "7")

    async def play() -> None:
        first = await server.stream()
        server.answer(events, 204, None)
        first.snapshot().end()
        await until(lambda: server.asked.count(events) == 2)
        server.forget(events)
        second = await server.stream()
        assert "last-event-id" not in second.headers
        second.snapshot(state="completed", result="seen")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play)
        assert await task.wait() == "seen"


async def test_patience_ends(server: Scripted) -> None:
    async with TaskClient(f"http://127.0.0.1:{free_port()}/tasks", patience=timedelta()) as client:
        with pytest.raises(TaskUnreachableError, match="cannot be reached"):
            await client.start("report", {})
        with pytest.raises(TaskUnreachableError, match="/tasks/report/7/events cannot be reached"):
            await client.task("report", "7").wait()


async def test_a_task_that_failed_raises(server: Scripted, client: TaskClient) -> None:
    async def play() -> None:
        (await server.stream()).snapshot(state="failed", error="out of paper", attempts_made=3)
        (await server.stream()).snapshot(state="failed", error="cancelled: enough")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play)
        with pytest.raises(TaskFailedError, match=r"^report 7 failed: out of paper$") as failed:
            await client.task("report", "7").wait()
        with pytest.raises(TaskFailedError) as cancelled:
            await client.task("report", "7").wait()

    assert (failed.value.attempts_made, failed.value.is_cancelled) == (3, False)
    assert cancelled.value.is_cancelled


async def test_a_wait_that_is_over_leaves_the_task_alone_and_the_line(
    server: Scripted, client: TaskClient
) -> None:
    async with anyio.create_task_group() as tasks:
        opened = []

        async def play() -> None:
            opened.append((await server.stream()).snapshot())

        tasks.start_soon(play)
        with pytest.raises(TaskTimeoutError, match=r"report 7 has not ended after 1 s"):
            await client.task("report", "7").wait(timedelta(seconds=1))

    await until(lambda: opened[0].is_over, message="the server was left")
    assert server.asked == ["GET /tasks/report/7/events"]


async def test_who_leaves_early_frees_the_line(server: Scripted, client: TaskClient) -> None:
    async with anyio.create_task_group() as tasks:
        opened = []

        async def play() -> None:
            opened.append((await server.stream()).snapshot())

        tasks.start_soon(play)
        async with aclosing(client.task("report", "7").events()) as events:
            first = await anext(events)

    assert first.name == "snapshot"
    await until(lambda: opened[0].is_over, message="the server was left")


async def test_a_payload_that_does_not_fit_is_refused_with_the_problem(
    server: Scripted, client: TaskClient
) -> None:
    server.answer("POST /tasks/report", 422, PROBLEM)

    with pytest.raises(TaskRefusedError, match="answered 422: rows: too few") as refused:
        await client.start("report", {})

    assert refused.value.status == 422
    assert refused.value.problem == PROBLEM


async def test_an_unknown_task_is_refused_at_once(server: Scripted, client: TaskClient) -> None:
    server.answer("GET /tasks/report/a b/events", 404, {"detail": "no such task"})

    with pytest.raises(TaskRefusedError, match="no such task"):
        await client.task("report", "a b").wait()

    assert len(server.asked) == 1


async def test_a_task_is_looked_at_aborted_held_and_retried(
    server: Scripted, client: TaskClient
) -> None:
    server.accept()
    own = "/tasks/report/7"
    server.answer(f"GET {own}", 200, snapshot(progress=5))
    for name in ("pause", "resume", "retry"):
        server.answer(f"POST {own}/{name}", 202, {"id": "7"})
    task = await client.start("report", {})

    view: TaskView[object] = await task.look()
    await task.pause()
    await task.resume()
    effect = await task.abort()
    await task.retry()

    assert (view.percentage, effect) == (5, "asked")
    assert server.asked == [
        "POST /tasks/report",
        f"GET {own}",
        f"POST {own}/pause",
        f"POST {own}/resume",
        f"DELETE {own}",
        f"POST {own}/retry",
    ]


async def test_a_result_of_another_shape_is_an_error(server: Scripted, client: TaskClient) -> None:
    server.answer("GET /tasks/report/7", 200, snapshot(state="completed", result={"rows": "?"}))

    with pytest.raises(ValidationError, match="rows"):
        await client.task("report", "7", result=Rows).look()


async def test_a_token_in_the_links_and_keys_go_along(server: Scripted) -> None:
    server.accept()

    async with TaskClient(server.url, headers={"Authorization": "Bearer k"}) as client:
        task = await client.start("report", {})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(task.wait)
            watched = await server.stream()
            watched.snapshot(state="completed")

    assert watched.query == "token=t"
    assert watched.headers["authorization"] == "Bearer k"
