"""A real worker process that takes nothing: what its probes say, and how it ends."""

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


async def test_a_stuck_process_is_not_ready_and_ends_with_75(
    tmp_path: Path, proxy: Proxy, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=SHOP)
    environment = {
        "REDIS_URL": proxy.url,
        "FRAMEWORK_PREFIX": prefix,
        "FRAMEWORK_HEALTH_HOST": "127.0.0.1",
        "FRAMEWORK_WATCHDOG": "0.5",
        "FRAMEWORK_EXIT_WHEN_STUCK": "true",
        "FRAMEWORK_SHUTDOWN_TIMEOUT": "1",
    }
    asked = ("run", "shop", "--processes", "0", "--health-port", "0")

    with command(*asked, cwd=tmp_path, environment=environment) as run:
        port = await to_thread.run_sync(port_of, run)
        await until(lambda: proxy.replies[CALL] > 0, timeout=15, message="it works")
        proxy.lose(CALL, for_ever=True)
        job = await queue.add("greet", "Ada")

        async def is_not_ready() -> bool:
            return (await to_thread.run_sync(probe, port, "/readyz")).code == 503

        await until(is_not_ready, timeout=10, message="it says that it is not ready")
        proxy.heal()
        code = await to_thread.run_sync(run.ends)

    assert code == 75
    assert "nothing is fetched" in run.output
    assert "start this process anew" in run.output
    assert "Traceback" not in run.output
    assert await queue.state(job.id) in {"waiting", "completed"}
