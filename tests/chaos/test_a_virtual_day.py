"""A day of an application in virtual time: nothing grows, drifts or is left behind."""

from pathlib import Path

from tests.support.servers import one_server
from tests.support.virtual_day import live_a_day

# Of keys, delayed jobs and those that are kept: by chance more of them late in the day.
ALLOWED = {"MiB": 3, "files": 1, "sockets": 1, "tasks": 1, "clients": 1, "keys": 60}


async def test_a_day_of_work_leaves_a_process_and_redis_as_they_were(tmp_path: Path) -> None:
    with one_server(tmp_path) as server:
        day = await live_a_day(server, load=30)

    print(f"\n{day.series.table(24)}")  # noqa: T201 - to be read
    assert day.series.grown(ALLOWED) == []
