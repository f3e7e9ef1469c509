"""A day of an application in a few seconds: the short form of what ``make chaos`` does."""

from pathlib import Path

from tests.support.servers import one_server
from tests.support.virtual_day import live_a_day


async def test_all_that_a_day_asks_for_runs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with one_server(tmp_path) as server:
        day = await live_a_day(server, load=1)

    assert day.series.grown({"files": 1, "sockets": 1, "tasks": 1, "clients": 1}) == []
