"""A set that Sentinels watch loses its master, and its users lose nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio import to_thread

from framework.app.application import Application
from framework.errors import RedisRefusedError, RedisUnavailableError
from framework.store.store import Store
from tests.places.load import Load
from tests.support.apps import declared, settings_of
from tests.support.sentinels import NAME, SentinelSet, sentinel_set
from tests.support.servers import free_port
from tests.support.until import until


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[SentinelSet]:
    """A set of the test's own."""
    with sentinel_set(tmp_path) as made:
        yield made


async def test_a_fail_over_in_mid_load_loses_nothing(doomed: SentinelSet, prefix: str) -> None:
    load = Load(("mail", "post"))

    await load.go(
        load.application(doomed.url, prefix),
        half_way=lambda: to_thread.run_sync(doomed.master.kill),
    )

    assert len(set(load.added)) == load.jobs * load.producers
    assert set(load.runs) == set(load.added)
    assert set(load.runs.values()) == {1}


async def test_a_planned_change_in_mid_load_loses_nothing(
    a_sentinel_set: SentinelSet, prefix: str
) -> None:
    load = Load(("mail", "post"))
    before = a_sentinel_set.master

    await load.go(
        load.application(a_sentinel_set.url, prefix),
        half_way=lambda: to_thread.run_sync(a_sentinel_set.change, "COORDINATED"),
    )

    assert a_sentinel_set.master is not before
    assert len(set(load.added)) == load.jobs * load.producers
    assert set(load.runs) == set(load.added)
    assert set(load.runs.values()) == {1}


async def test_a_master_that_was_replaced_is_left_before_it_knows(
    a_sentinel_set: SentinelSet, prefix: str
) -> None:
    before = a_sentinel_set.master
    async with Application(declared(), settings=settings_of(a_sentinel_set.url, prefix)) as app:
        await app.queue("mail").add("first")
        await to_thread.run_sync(a_sentinel_set.change)

        async def is_left() -> bool:
            job = await app.queue("mail").add("later")
            return bool(a_sentinel_set.master.ask("EXISTS", f"{prefix}:mail:{job.id}"))

        await until(is_left, message="the new master is written to")
        assert before.ask("ROLE")[0] == "master"  # for about ten seconds more


async def test_a_sentinel_that_is_away_is_passed_over(
    a_sentinel_set: SentinelSet, prefix: str
) -> None:
    url = a_sentinel_set.url.replace("://", f"://127.0.0.1:{free_port()},")

    async with Store(url) as store:
        assert await store.command("SET", f"{prefix}:mail:id", 1)


async def test_a_name_that_no_sentinel_knows_is_told(a_sentinel_set: SentinelSet) -> None:
    async with Store(a_sentinel_set.url.replace(NAME, "another")) as store:
        with pytest.raises(RedisRefusedError, match="No such master: another"):
            await store.check(0.5)


async def test_a_set_without_any_sentinel_is_not_there() -> None:
    async with Store(f"redis+sentinel://127.0.0.1:{free_port()}/{NAME}") as store:
        with pytest.raises(RedisUnavailableError, match="connection refused"):
            await store.check(0.2)
