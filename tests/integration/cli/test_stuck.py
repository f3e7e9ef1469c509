"""A real worker process that takes nothing: what its probes say, and how it ends."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from anyio import to_thread

from framework import Queue
from framework.store.transitions.exchange import EXCHANGE
from tests.support.command import command, write_package
from tests.support.probes import port_of, probe
from tests.support.proxy import Proxy
from tests.support.until import until

CALL = f"EVALSHA {EXCHANGE.sha}"
SHOP = """
    from framework import Job, processor

    @processor("greetings")
    async def greet(job: Job[str]) -> None: ...
"""


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[Proxy]:
    async with Proxy(redis_url, chance=0).serve() as proxy:
        yield proxy


def environment_of(proxy: Proxy, prefix: str, **more: str) -> dict[str, str]:
    return {
        "REDIS_URL": proxy.url,
        "FRAMEWORK_PREFIX": prefix,
        "FRAMEWORK_HEALTH_HOST": "127.0.0.1",
        "FRAMEWORK_WATCHDOG": "0.5",
        "FRAMEWORK_SHUTDOWN_TIMEOUT": "1",
        **more,
    }


async def answers(port: int, code: int) -> bool:
    return (await to_thread.run_sync(probe, port, "/readyz")).code == code


async def test_a_stuck_process_is_not_ready_and_ends_with_75(
    tmp_path: Path, proxy: Proxy, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=SHOP)
    environment = environment_of(proxy, prefix, FRAMEWORK_EXIT_WHEN_STUCK="true")
    asked = ("run", "shop", "--processes", "0", "--health-port", "0")

    with command(*asked, cwd=tmp_path, environment=environment) as run:
        port = await to_thread.run_sync(port_of, run)
        await until(lambda: answers(port, 200), timeout=15, message="it is ready")
        proxy.lose(CALL, for_ever=True)
        job = await queue.add("greet", "Ada")

        await until(lambda: answers(port, 503), timeout=15, message="it is not ready")
        await to_thread.run_sync(run.says, "the worker is stuck")
        proxy.heal()
        code = await to_thread.run_sync(run.ends)

    assert code == 75
    assert "nothing is fetched" in run.output
    assert "start this process anew" in run.output
    assert "Traceback" not in run.output
    assert await queue.state(job.id) in {"waiting", "completed"}


async def test_a_stuck_worker_process_is_started_anew_by_its_supervisor(
    tmp_path: Path, proxy: Proxy, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=SHOP)

    with command("run", "shop", cwd=tmp_path, environment=environment_of(proxy, prefix)) as run:
        await until(lambda: proxy.replies[CALL] > 0, timeout=15, message="it works")
        proxy.lose(CALL, for_ever=True)
        job = await queue.add("greet", "Ada")
        await to_thread.run_sync(run.says, "the worker is stuck")
        proxy.heal()
        await to_thread.run_sync(run.says, "start this process anew")

        async def is_done() -> bool:
            return await queue.state(job.id) == "completed"

        await until(is_done, timeout=15, message="the next process runs the job")
        run.send(signal.SIGTERM)
        code = await to_thread.run_sync(run.ends)

    assert code == 0
    assert run.output.count("worker ready") == 2
