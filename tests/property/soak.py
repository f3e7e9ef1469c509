"""The state machine for hours: `make soak`."""

import os
import time

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.machine import machine_in
from tests.property.world import World


def test_queues_are_in_order_for_hours(world: World) -> None:
    ends = time.monotonic() + float(os.environ["SOAK_SECONDS"])
    how = settings(
        max_examples=500,
        stateful_step_count=100,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )

    while time.monotonic() < ends:
        run_state_machine_as_test(machine_in(world), settings=how)
