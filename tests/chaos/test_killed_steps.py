"""A step job whose workers are killed a hundred times ends with no saved step run again."""

import os

from tests.support.killer import kill_through_five_steps
from tests.support.ours import Ours, ours  # noqa: F401 - a fixture

SEED = int(os.environ.get("CHAOS_SEED", "7"))


async def test_no_saved_step_runs_again_though_a_hundred_workers_are_killed(
    ours: Ours,  # noqa: F811 - the fixture
) -> None:
    await kill_through_five_steps(ours, kills=100, seed=SEED)
