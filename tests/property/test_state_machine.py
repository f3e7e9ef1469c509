"""Whatever is done to queues, in whatever order: no job is lost, doubled or forgotten."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.machine import machine_in
from tests.property.world import World


def test_queues_are_in_order_after_each_step(world: World) -> None:
    how = settings(
        max_examples=200,
        stateful_step_count=50,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )

    run_state_machine_as_test(machine_in(world), settings=how)
