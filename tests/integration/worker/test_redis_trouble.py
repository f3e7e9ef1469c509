"""A Redis that answers and refuses: outcomes are kept, producers are told why and what to do."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest

from framework import Job, JobState, RedisRefusedError, RedisUnavailableError, processor
from framework.app.application import Application
from framework.store.address import Address
from framework.store.connection import HeldConnection
from framework.store.dialling import Dialler
from framework.store.heartbeat import Heartbeat
from tests.support.apps import declared, settings_of, working
from tests.support.servers import COMMON, Server, free_port, one_server, wait_for
from tests.support.until import until

SECOND = timedelta(seconds=1)
WORKERS = 100


class Trouble(NamedTuple):
    """How a server refuses, how that ends, and what is said of it."""

    begin: Callable[[Server], object]
    end: Callable[[Server], object]
    error: type[Exception]
    problem: str
    fix: str


def has_failed_to_save(server: Server) -> bool:
    return server.says("rdb_last_bgsave_status") == "err"


def fail_to_save(server: Server) -> None:
    """Let a snapshot fail: a folder stands where its file belongs."""
    (server.folder / "dump.rdb").mkdir()
    server.ask("CONFIG", "SET", "save", "3600 1")
    server.ask("BGSAVE")
    wait_for(lambda: has_failed_to_save(server), "the snapshot fails")


TROUBLES = {
    "out of memory": Trouble(
        lambda server: server.ask("CONFIG", "SET", "maxmemory", 1),
        lambda server: server.ask("CONFIG", "SET", "maxmemory", 0),
        RedisRefusedError,
        "it is out of memory",
        "Raise maxmemory",
    ),
    "no disk": Trouble(
        fail_to_save,
        lambda server: server.ask("CONFIG", "SET", "save", ""),
        RedisRefusedError,
        "it cannot write to its disk",
        "Look at its log and its disk",
    ),
    "a replica": Trouble(
        lambda server: server.ask("REPLICAOF", "127.0.0.1", 1),
        lambda server: server.ask("REPLICAOF", "NO", "ONE"),
        RedisUnavailableError,
        "it is a replica",
        "Name its master in REDIS_URL, or its Sentinels",
    ),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with one_server(tmp_path) as server:
        yield server


@pytest.mark.parametrize("kind", TROUBLES)
async def test_a_server_that_refuses_for_a_while_loses_no_outcome_and_says_why(
    server: Server, prefix: str, kind: str
) -> None:
    trouble, gate, runs = TROUBLES[kind], anyio.Event(), Counter[str]()

    @processor("demo", concurrency=2)
    async def run(job: Job[str]) -> str:
        runs[job.id] += 1
        await gate.wait()
        return job.data

    settings = settings_of(server.url, prefix, timeout=SECOND / 2)
    app = Application(declared(run), settings=settings)
    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("str", "kept")
        await until(lambda: app.running == 1, message="it runs")
        await anyio.to_thread.run_sync(trouble.begin, server)
        gate.set()
        with pytest.raises(trouble.error) as raised:
            await queue.add("str", "refused")

        await anyio.to_thread.run_sync(trouble.end, server)

        assert await queue.result(job) == "kept"
        after = await queue.add("str", "after")
        assert await queue.result(after) == "after"

    assert trouble.problem in str(raised.value)
    assert trouble.fix in str(raised.value)
    assert str(server.port) in str(raised.value)
    assert set(runs.values()) == {1}


async def test_clients_that_are_killed_all_the_time_lose_and_double_nothing(
    server: Server, prefix: str
) -> None:
    runs: Counter[str] = Counter()

    @processor("demo", concurrency=10)
    async def run(job: Job[Any]) -> None:
        runs[job.id] += 1
        await anyio.sleep(0.002)

    app = Application(declared(run), settings=settings_of(server.url, prefix))
    async with working(app):
        queue = app.queue("demo")
        jobs = [job for _ in range(4) for job in await queue.add_bulk([("x", None)] * 100)]
        while len(runs) < len(jobs):
            await anyio.to_thread.run_sync(
                server.ask, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"
            )
            await anyio.sleep(0.03)

        async def are_done() -> bool:
            return (await queue.counts())[JobState.COMPLETED] == len(jobs)

        await until(are_done, message="all outcomes are delivered")

    assert set(runs.values()) == {1}


async def test_a_hundred_workers_do_not_come_back_all_at_once(tmp_path: Path) -> None:
    # Each pauses for half a second to a second; here all share one loop, which may be held up and
    # then wakes them together: once of three times it is not.
    found = []
    for n in range(3):
        at = await times_back(str(tmp_path), n)
        most = max(sum(first <= one < first + 0.05 for one in at) for first in at)
        found.append((most, max(at) - min(at)))
        if most < 0.7 * WORKERS and max(at) - min(at) > 0.2:
            break
    else:
        raise AssertionError(f"they came back together, at most within 50 ms, and within: {found}")


async def times_back(folder: str, n: int) -> list[float]:
    """When each of many workers asked its server that is there again."""
    port = free_port()
    options = ("--port", str(port), *COMMON)
    server = Server(Path(folder, f"{n}-one"), *options, port=port)
    wait_for(server.is_ready, "a server starts")
    dialler, back = Dialler(Address(server.url)), dict[int, float]()
    asked = dict[int, float]()

    def hold(worker: int) -> HeldConnection:
        asked[worker] = anyio.current_time()
        return dialler.hold()

    async def note(worker: int, *, on_new_lines: bool) -> None:
        back.setdefault(worker, anyio.current_time())

    async with anyio.create_task_group() as tasks:
        for worker in range(WORKERS):
            tasks.start_soon(Heartbeat(partial(hold, worker), partial(note, worker)).run)
        await anyio.sleep(1.2)
        server.kill()
        back.clear()  # who was slow before
        asked.clear()
        await until(lambda: len(asked) == WORKERS, timeout=10, message="all have noticed")
        server = Server(Path(folder, f"{n}-two"), *options, port=port)
        try:
            await until(lambda: len(back) == WORKERS, timeout=10, message="all are back")
        finally:
            tasks.cancel_scope.cancel()
            server.kill()
    # A server that is slow to start answers all who wait by then; when they ask is up to them.
    return list(asked.values())
