"""A storm over supervised workers: the short form of what ``make chaos`` does."""

from pathlib import Path

from framework.server import EmbeddedServer
from tests.support.storm import Storm


async def test_every_job_is_done_though_workers_connections_and_redis_die(
    tmp_path: Path, private_server: EmbeddedServer
) -> None:
    storm = Storm(
        jobs=1500, every=0.8, longest_outage=0.4, cuts=0.005, seconds=0.1, within=90, seed=4
    )

    await storm.blow(tmp_path, private_server)
