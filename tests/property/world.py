"""Where the state machine works: one application on a virtual clock, and what is known of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal
from hypothesis import strategies as st

from framework import Application
from framework.store.lane import Lane
from framework.store.transitions.exchange import Fetched
from tests.property.snapshot import Look

T = TypeVar("T")

QUEUES = ("a", "b")
WORKERS = ("w1", "w2", "w3")
START_MS = 1_795_293_005_740

queues = st.sampled_from(QUEUES)
workers = st.sampled_from(WORKERS)
nths = st.integers(0, 40)


class VirtualClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms


@dataclass
class World:
    """One application and its server, for one example after another."""

    portal: BlockingPortal
    app: Application
    clock: VirtualClock
    look: Look
    lanes: dict[str, Lane]
    prefix: str

    def run(self, act: Callable[..., Awaitable[T]], *args: Any) -> T:  # noqa: ANN401 - as `act` takes
        return self.portal.call(act, *args)


@dataclass
class Held:
    """A job that a simulated worker runs."""

    queue: str
    job: Fetched


@dataclass
class Known:
    """What the machine remembers between steps.

    Attributes:
        held: What each worker runs.
        told: The state that the last event told, by queue and id.
        reborn: Keys of jobs that were there once.
        awaited: Queues at whose limit a worker stands: it comes again by itself.
        tokens: How many were used.
        nodes: How many jobs of flows were worded.
    """

    held: dict[str, list[Held]] = field(default_factory=lambda: {it: [] for it in WORKERS})
    told: dict[tuple[str, str], str] = field(default_factory=dict)
    reborn: set[str] = field(default_factory=set)
    awaited: set[str] = field(default_factory=set)
    tokens: int = 0
    nodes: int = 0
