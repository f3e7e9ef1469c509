"""A step job whose worker is killed goes on at the step it had saved: the short form.

``make chaos`` runs the long one.
"""

from tests.support.killer import kill_through_five_steps
from tests.support.ours import Ours, ours  # noqa: F401 - a fixture


async def test_no_saved_step_runs_again_though_workers_are_killed(
    ours: Ours,  # noqa: F811 - the fixture
) -> None:
    await kill_through_five_steps(ours, kills=5, seed=20_261_122)
