"""A thousand browsers watch a hundred tasks of one process: each hears all of its own, and soon."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio import to_thread

from framework.server import EmbeddedServer
from framework.store.store import Store
from tests.chaos.conftest import Tell
from tests.support.command import Command, command, write_package
from tests.support.plugins import write_plugin
from tests.support.servers import free_port
from tests.support.stopwatch import Stopwatch
from tests.support.until import until
from tests.support.watchers import (
    JOBS,
    Heard,
    files_of,
    follow,
    memory_of,
    percentile,
    plan_of,
)

SEED = int(os.environ.get("CHAOS_SEED", "7"))
SOURCES = Path(__file__).parents[2] / "plugins" / "web"
TASKS, CLIENTS, REPORTS, PAUSE = 100, 1000, 20, 0.5
MOST_BYTES = 64 * 1024
PROMISED = 0.1

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and files are in /proc")


class Site:
    """A web app in one process, its workers in another."""

    def __init__(self, run: Command, port: int, store: Store, folder: Path) -> None:
        self.pid = run.process.pid
        self.run = run
        self.port = port
        self.store = store
        self.folder = folder

    async def start_all(self, count: int, go: Path) -> list[str]:
        """Start tasks; return where their events are."""
        paths: list[str] = []
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as web:
            for number in range(count):
                plan = plan_of(SEED + number, go, REPORTS, PAUSE)
                answer = await web.post("/tasks/tick", json=plan)
                paths.append(answer.json()["links"]["events"])
        return paths

    async def readers(self) -> int:
        """How many connections of it wait for events of queues."""
        told = (await self.store.command("CLIENT", "LIST", "TYPE", "normal")).decode()
        return sum("cmd=xread" in one and "flags=b" in one for one in told.splitlines())

    async def watched(self, name: str, clients: int) -> tuple[list[Heard], int]:
        """Let clients follow tasks to their end; return what they heard, and the memory at half."""
        go = self.folder / name
        paths = await self.start_all(TASKS, go)
        heard = [Heard() for _ in range(clients)]
        async with anyio.create_task_group() as tasks:
            for number, one in enumerate(heard):
                tasks.start_soon(follow, self.port, paths[number % TASKS], one)
            following = lambda: all(one.is_following for one in heard)  # noqa: E731 - said once
            await until(following, timeout=60, message="all follow")
            assert await self.readers() == 1
            go.touch()
            half = REPORTS // 2 * clients
            await until(
                lambda: sum(len(one.numbers) for one in heard) > half,
                timeout=60,
                message="half is told",
            )
            memory = memory_of(self.pid)
        return heard, memory

    async def is_left(self) -> bool:
        """Whether nobody watches any more."""
        return await self.readers() == 0


@pytest.fixture
async def site(private_server: EmbeddedServer, prefix: str, tmp_path: Path) -> AsyncIterator[Site]:
    address = await to_thread.run_sync(private_server.start)
    async with serving(address.url, prefix, tmp_path) as site:
        yield site


@asynccontextmanager
async def serving(url: str, prefix: str, folder: Path) -> AsyncIterator[Site]:
    """Serve tasks, and work them elsewhere."""
    plugin = write_plugin(folder / "site", "web", {}, value="framework_web.plugin:plugin")
    write_package(folder, "shop", jobs=JOBS)
    environment = {
        "PYTHONPATH": os.pathsep.join([str(plugin), str(SOURCES), *sys.path]),
        "FRAMEWORK_REDIS_URL": url,
        "FRAMEWORK_PREFIX": prefix,
        "FRAMEWORK_WEB_OPEN": "true",
        "FRAMEWORK_WEB_RATE_LIMIT": "0",
        "FRAMEWORK_WEB_STREAM_LIMIT": "0",
    }
    port = free_port()
    with (
        command("web", "shop", "--port", str(port), cwd=folder, environment=environment) as web,
        command("run", "shop", cwd=folder, environment=environment) as run,
    ):
        await to_thread.run_sync(web.says, "running on")
        await to_thread.run_sync(run.says, "ready")
        async with Store(url) as store:
            yield Site(web, port, store, folder)


async def test_a_thousand_clients_hear_all_of_a_hundred_tasks_soon_and_leave_nothing(
    site: Site, tell: Tell
) -> None:
    await site.watched("warm-up", TASKS)
    await until(site.is_left, message="nobody reads")
    files, before = files_of(site.pid), memory_of(site.pid)
    watch = Stopwatch()

    heard, memory = await site.watched("go", CLIENTS)

    busy = (Stopwatch().at - watch.at) / watch.seconds
    for one in heard:
        assert one.numbers == list(range(REPORTS))
        assert (one.names[0], one.names[-1]) == ("snapshot", "completed")
    delays = [delay for one in heard for delay in one.delays]
    each = (memory - before) / CLIENTS
    tell(
        [
            f"{len(delays):,} events to {CLIENTS:,} clients of {TASKS} tasks, machine x{busy:.2f}",
            f"delay p50 {percentile(delays, 0.5) * 1000:.1f} ms, "
            f"p99 {percentile(delays, 0.99) * 1000:.1f} ms, most {max(delays) * 1000:.0f} ms",
            f"{each / 1024:.1f} KiB a client",
        ]
    )
    assert percentile(delays, 0.99) < PROMISED * busy
    assert each < MOST_BYTES
    await until(lambda: files_of(site.pid) <= files, message="no socket is left")
    await until(site.is_left, message="nobody reads any more")
    _, again = await site.watched("once more", CLIENTS)
    assert again - memory < CLIENTS * MOST_BYTES / 10
