"""A pump's calls: how many there are, and what becomes of an answer that nobody can read."""

from typing import Any

import anyio
import pytest

from framework import Job, processor
from framework.store.transitions.exchange import exchanged
from tests.support.apps import Open, all_finished, working
from tests.support.until import until

JOBS = 20


class OddReplyError(Exception):
    """What reading it raises."""


async def test_a_lone_slot_makes_one_call_a_job(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []

    def count(*args: Any, **more: Any) -> Any:  # noqa: ANN401 - as the original
        came = exchanged(*args, **more)
        calls.append((len(came.codes), len(came.jobs)))
        return came

    monkeypatch.setattr("framework.worker.trip.exchanged", count)

    @processor("demo")
    async def run(job: Job[int]) -> None: ...

    app = open_app(run)
    async with app:
        await app.queue("demo").add_bulk([("n", n) for n in range(JOBS)])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.work)
            await all_finished(app, "demo")
            app.stop()

    assert calls.count((1, 1)) == JOBS - 1  # each but the last takes the next one with it
    assert sum(jobs for _, jobs in calls) == JOBS


async def test_slots_that_end_in_one_turn_go_in_one_call(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def count(*args: Any, **more: Any) -> Any:  # noqa: ANN401 - as the original
        came = exchanged(*args, **more)
        calls.append(len(came.codes))
        return came

    monkeypatch.setattr("framework.worker.trip.exchanged", count)
    gate = anyio.Event()

    @processor("demo", concurrency=JOBS)
    async def run(job: Job[int]) -> None:
        await gate.wait()

    app = open_app(run)
    async with working(app):
        await app.queue("demo").add_bulk([("n", n) for n in range(JOBS)])
        await until(lambda: app.running == JOBS, message="all slots run a job")
        gate.set()
        await all_finished(app, "demo")

    assert sum(calls) == JOBS
    assert len([count for count in calls if count]) <= 4


async def test_an_answer_that_cannot_be_read_ends_the_worker(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:  # noqa: ANN401 - as the original
        raise OddReplyError

    monkeypatch.setattr("framework.worker.trip.exchanged", refuse)

    @processor("demo")
    async def run(job: Job[int]) -> None: ...

    app = open_app(run)
    with anyio.fail_after(5), pytest.RaisesGroup(OddReplyError, flatten_subgroups=True):
        async with app:
            await app.work()
