"""A set that Sentinels watch loses its master, and its users lose nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places.load import Load
from tests.support.sentinels import SentinelSet, sentinel_set


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[SentinelSet]:
    """A set of the test's own."""
    with sentinel_set(tmp_path) as made:
        yield made


async def test_a_fail_over_in_mid_load_loses_nothing(doomed: SentinelSet, prefix: str) -> None:
    load = Load(("mail", "post"))

    await load.go(load.application(doomed.url, prefix), half_way=doomed.master.kill)

    assert len(set(load.added)) == load.jobs * load.producers
    assert set(load.runs) == set(load.added)
    assert set(load.runs.values()) == {1}
