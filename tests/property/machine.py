"""The state machine: everything that producers, workers and people may do."""

from tests.property.adding import Adding
from tests.property.tending import Tending
from tests.property.working import Working
from tests.property.world import World


class Machine(Adding, Working, Tending):
    """All the steps."""


def machine_in(world: World) -> type[Machine]:
    """Give the machine its world."""
    return type("MachineInItsWorld", (Machine,), {"world": world})
