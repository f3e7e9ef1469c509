"""Twenty thousand jobs in a storm: workers, connections and Redis die, and each job is done."""

import os
from pathlib import Path

from framework.server import EmbeddedServer
from tests.chaos.conftest import Tell
from tests.support.storm import Storm

SEED = int(os.environ.get("CHAOS_SEED", "7"))


async def test_every_job_is_done_though_workers_connections_and_redis_die(
    tmp_path: Path, private_server: EmbeddedServer, tell: Tell
) -> None:
    storm = Storm(
        jobs=20_000, every=1.0, longest_outage=2.0, cuts=0.004, seconds=0.1, within=170, seed=SEED
    )

    tell(await storm.blow(tmp_path, private_server))
