"""A gateway that dies in the middle of a call: its job is called again by another."""

import os
import signal
import sys
from pathlib import Path

import anyio
import httpx2

from framework import Queue
from framework.store.store import Store
from framework.store.transitions.stalled import recover_stalled
from framework.wire.keys import QueueKeys
from tests.plugins.gateway.callback.endpoint import Answer, Called, endpoint, of_json
from tests.plugins.gateway.callback.test_answers import ended
from tests.plugins.gateway.conftest import KEY, Start
from tests.support.command import command
from tests.support.plugins import write_plugin
from tests.support.servers import free_port
from tests.support.until import until

SOURCES = Path(__file__).parents[4] / "plugins" / "gateway"


async def find_stalled(store: Store, keys: QueueKeys, job_id: str) -> None:
    """Do now what workers do when a lock has ended, in up to a minute."""
    await store.command("DEL", f"{keys.job(job_id)}:lock")
    now_ms = store.clock.now_ms()

    async def is_found() -> bool:
        await store.command("DEL", keys["stalled_check"])
        args = {"now_ms": now_ms, "interval_ms": 30_000, "max_stalled": 1}
        return job_id in await recover_stalled(store, keys, **args)

    await until(is_found)


async def test_a_job_whose_gateway_is_killed_is_called_again_by_another(
    start: Start, redis_url: str, prefix: str, tmp_path: Path, store: Store, queue: Queue
) -> None:
    async def hang_once(called: Called) -> Answer:
        if called.job["attemptsStarted"] == 1:
            await anyio.sleep_forever()
        return of_json(called.job["stalledCounter"])

    site = write_plugin(tmp_path / "site", "gateway", {}, value="framework_gateway.plugin:plugin")
    port = free_port()
    environment = {
        "PYTHONPATH": os.pathsep.join([str(site), str(SOURCES), *sys.path]),
        "REDIS_URL": redis_url,
        "QUEUE_PREFIX": prefix,
        "AUTH_TOKENS": KEY,
        "PORT": str(port),
        "WORKER_METADATA_KEY": f"workers-{prefix}",
        "WORKER_METADATA_STREAM": f"changes-{prefix}",
    }
    headers = {"Authorization": f"Bearer {KEY}"}
    async with endpoint(hang_once) as served:
        with command("gateway", cwd=tmp_path, environment=environment) as run:
            await anyio.to_thread.run_sync(run.says, "gateway listens")
            async with httpx2.AsyncClient(headers=headers) as http:
                record = served.record(timeout=600_000)
                await http.post(f"http://127.0.0.1:{port}/workers", json=record)
            job = await queue.add("n")
            await until(lambda: served.calls)
            run.send(signal.SIGKILL)
            await anyio.to_thread.run_sync(run.ends)
        await start()
        await find_stalled(store, QueueKeys(prefix, "demo"), job.id)
        done = await ended(queue, job)

    assert done.result == 1
    assert [call.job["attemptsMade"] for call in served.calls] == [0, 0]
