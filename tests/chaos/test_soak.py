"""Supervised workers under moderate load of every kind, for long: nothing grows, nothing drifts.

``make soak`` lets it work for half an hour, ``make chaos`` for a minute (SOAK_SECONDS): enough to
see that all counters agree and no key is left over, but not that nothing grows.
"""

import os
import signal
from pathlib import Path

import anyio
from anyio import to_thread

from framework import JobState
from framework.app.application import Application
from tests.support.apps import UNFINISHED, declared, settings_of
from tests.support.command import command, write_package
from tests.support.flatness import Series, descendants_of, files_of, memory_of
from tests.support.leftovers import left_over
from tests.support.servers import Server, one_server
from tests.support.soaked import PACKAGE, QUEUES, RATES, Load
from tests.support.until import until

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
SAMPLES = 90
# In less, child processes that start and a busy machine look like growth.
LONG = 300.0
# What may seem to grow by chance; memory in MiB.
ALLOWED = {
    "parent MiB": 2,
    "workers MiB": 8,
    "files": 4,
    "sockets": 4,
    "redis MiB": 4,
    "keys": 150,
    "clients": 4,
    "backlog": 60,
}


async def test_nothing_grows_while_all_kinds_of_work_go_on(tmp_path: Path) -> None:
    write_package(tmp_path, "shop", work=PACKAGE)
    series = Series()
    with one_server(tmp_path / "redis") as server:
        told = {"REDIS_URL": server.url, "FRAMEWORK_LOG_LEVEL": "error"}
        app = Application(declared(), settings=settings_of(server.url, "bull"))
        run_it = command("run", "shop", "--processes", "2", cwd=tmp_path, environment=told)
        async with app:
            load = Load(app)
            with run_it as run:
                await until(lambda: are_ready(app), timeout=30, message="all work")
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(sample, series, server, run.process.pid, load)
                    await load.run(SECONDS)
                    tasks.cancel_scope.cancel()
                await until(lambda: all_done(app), timeout=60, message="all is done")
                run.send(signal.SIGTERM)
                code = await to_thread.run_sync(run.ends)
            print(f"\n{series.table()}\n{load.answered} results awaited")  # noqa: T201 - to be read
            drift = {queue: await drift_of(app, load, queue) for queue in RATES if queue in QUEUES}
            left = await left_over(app, "bull", QUEUES)

    assert code == 0
    assert run.output == ""
    assert drift == dict.fromkeys(drift, 0)
    assert left == []
    if SECONDS >= LONG:
        assert series.grown(ALLOWED) == []


async def are_ready(app: Application) -> bool:
    return all([len(await app.queue(queue).workers()) == 2 for queue in QUEUES])


async def all_done(app: Application) -> bool:
    """Whether nothing is to do but the next run of the schedule."""
    return await backlog(app) <= 1


async def backlog(app: Application) -> int:
    counts = [await app.queue(queue).counts() for queue in QUEUES]
    return sum(one[state] for one in counts for state in (*UNFINISHED, JobState.WAITING_CHILDREN))


async def sample(series: Series, server: Server, parent: int, load: Load) -> None:
    """Look again and again, until cancelled."""
    began = anyio.current_time()
    while True:
        await anyio.sleep(SECONDS / SAMPLES)
        workers = list(descendants_of(parent))
        files, sockets = files_of([parent, *workers])
        facts = await to_thread.run_sync(server.ask, "INFO")
        series.add(
            anyio.current_time() - began,
            {
                "parent MiB": memory_of([parent]),
                "workers MiB": memory_of(workers),
                "files": files,
                "sockets": sockets,
                "redis MiB": facts["used_memory"] / 2**20,
                "keys": facts["db0"]["keys"],
                "clients": facts["connected_clients"],
                "backlog": await backlog(load.app),
                "added": load.added.total(),
            },
        )


async def drift_of(app: Application, load: Load, queue: str) -> int:
    """How many endings too many or too few were counted."""
    line = app.queue(queue)
    ended = (await line.metrics()).count + (await line.metrics("failed")).count
    return ended - load.added[queue]
