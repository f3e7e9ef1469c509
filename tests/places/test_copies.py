"""An add counts once a replica has it; where there is none, work goes on and says so."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.builders import add, new_job
from tests.support.sentinels import SentinelSet, sentinel_set
from tests.support.stopwatch import Stopwatch
from tests.support.until import until


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[SentinelSet]:
    """A master with one replica, and one Sentinel."""
    with sentinel_set(tmp_path, replicas=1, sentinels=1) as made:
        yield made


async def test_an_added_job_is_on_a_replica(pair: SentinelSet, keys: QueueKeys) -> None:
    master, replica = pair.servers
    job = new_job(job_id="mine")
    added = anyio.Event()

    async def add_it(store: Store) -> None:
        await add(store, keys, job)
        added.set()

    async with Store(pair.url) as store, anyio.create_task_group() as tasks:
        await store.check()
        replica.freeze()
        tasks.start_soon(add_it, store)
        await until(lambda: master.ask("EXISTS", keys.job("mine")), message="the master has it")

        assert not added.is_set()

        replica.thaw()
        await added.wait()
        assert replica.ask("EXISTS", keys.job("mine")) == 1


async def test_without_a_replica_work_goes_on_and_says_so(
    pair: SentinelSet, keys: QueueKeys
) -> None:
    pair.servers[1].kill()

    with capture_logs() as logs:
        async with Store(pair.url) as store:
            await add(store, keys, new_job())
            watch = Stopwatch()
            await add(store, keys, new_job())
            assert watch.seconds < 0.4  # it is not waited for again

        assert warnings_in(logs) == ["no replica"]


async def test_copies_can_be_done_without(pair: SentinelSet, keys: QueueKeys) -> None:
    pair.servers[1].kill()

    async with Store(pair.url, copies=0) as store:
        watch = Stopwatch()
        await add(store, keys, new_job())
        assert watch.seconds < 0.4


def warnings_in(logs: Sequence[Mapping[str, object]]) -> list[object]:
    """List what was told, but for the call that was sent again."""
    return [one["event"] for one in logs if one["event"] not in {"redis lost", "redis back"}]
