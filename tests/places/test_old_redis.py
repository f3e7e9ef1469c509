"""Redis 6.2 words errors in its own way; it is understood."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from framework.errors import RedisRefusedError
from framework.store.reads import count_logs
from framework.store.store import Store
from framework.store.transitions.running import add_log
from framework.wire.keys import QueueKeys
from tests.places.binaries import OLD
from tests.places.conftest import need
from tests.support.builders import add, events_of, new_job, waiting_job
from tests.support.servers import REPLICATING, Server, one_server
from tests.support.until import until


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Server]:
    with one_server(tmp_path / "old", *REPLICATING, binary=need(OLD, "sh .ci/old-redis")) as server:
        yield server


async def test_a_script_waits_while_the_server_is_a_replica(old: Server, keys: QueueKeys) -> None:
    async with Store(old.url) as store:
        await waiting_job(store, keys)
        old.ask("REPLICAOF", "127.0.0.1", "1")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(add, store, keys, new_job())
            await until(lambda: store.outage.error, message="the add waits")
            old.ask("REPLICAOF", "NO", "ONE")

        assert (await events_of(store, keys)).count("added") == 2


async def test_what_may_run_once_only_waits_too(old: Server, keys: QueueKeys) -> None:
    async with Store(old.url) as store:
        job_id = await waiting_job(store, keys)
        old.ask("REPLICAOF", "127.0.0.1", "1")

        def stats() -> dict[str, object]:
            return dict(old.ask("INFO", "commandstats"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(add_log, store, keys, job_id, "a row")
            await until(lambda: "cmdstat_eval" in stats(), message="it was refused")
            old.ask("REPLICAOF", "NO", "ONE")

        assert await count_logs(store, keys, job_id) == 1


async def test_a_full_server_is_named(old: Server, keys: QueueKeys) -> None:
    async with Store(old.url) as store:
        await waiting_job(store, keys)
        old.ask("CONFIG", "SET", "maxmemory", "1")

        with pytest.raises(RedisRefusedError, match="it is out of memory"):
            await add(store, keys, new_job())
