"""When a pump calls Redis, and how much of what waits goes with a call.

A worker that is busy is a closed loop of two stations: Redis ends jobs and takes others, ``r``
seconds for half of the slots, and the worker runs them in ``w``. Halves that go round one after the
other keep both at work, and one comes back each ``max(r, w)``. Halves that go together leave each
station idle while the other works, ``r + w`` for each, and stay together for ever: Redis answers
all calls that it read at once when the last of them is done; so do those of several processes.
Hence a half leaves as soon as it is full, whatever is still to run, and the first of two calls
carries no more than one.

Where less waits, a call has its price, and jobs that end while one is under way share the next. So
nothing is held back while no call is under way, and a second one needs an eighth of the slots. The
time that a call takes need not be measured: the longer it is, the more jobs end meanwhile.

Where handlers wait for something else, Redis has time to spare, and what counts is how long a slot
is empty: ``r`` for all jobs that go together, and those that were fetched together tend to end
together for ever. So after a pause a group goes in two parts, and the groups become smaller from
round to round until there is no pause, or nothing worth a second call.
"""

from dataclasses import dataclass, field

from framework.store.transitions.exchange import MOST_WANTED

# Below this many slots a second call in flight has nothing to gain.
FEW = 4
# How long no call must have been under way for Redis to have time to spare.
PAUSE_SECONDS = 0.0002
# Fewer that go together stay so: a call costs Redis as much as some jobs do.
MIN_PARTED = 8


@dataclass(frozen=True, slots=True)
class Pacing:
    """What a pump with so many slots goes by.

    Args:
        slots: How many jobs may be held at once.

    Attributes:
        lanes: How many calls may be under way.
        half: How many endings, and how many jobs, go with one call while jobs wait.
    """

    slots: int
    lanes: int = field(init=False)
    half: int = field(init=False)

    def __post_init__(self) -> None:
        is_few = self.slots < FEW
        object.__setattr__(self, "lanes", 1 if is_few else 2)
        half = self.slots if is_few else (self.slots + 1) // 2
        object.__setattr__(self, "half", min(half, MOST_WANTED))

    def may_call(self, calls: int, endings: int, free: int, *, line_flows: bool) -> bool:
        """Tell whether a call may leave now.

        Args:
            calls: How many are under way.
            endings: How many wait to be delivered.
            free: How many more jobs may be asked for.
            line_flows: Whether more jobs wait in Redis, for all that is known.
        """
        if calls == 0:
            return True
        return calls < self.lanes and line_flows and self.is_worth_it(endings, free)

    def is_worth_it(self, endings: int, free: int) -> bool:
        """Tell whether enough waits for a second call."""
        return endings + max(0, free) >= max(2, self.slots // 8)

    def load(
        self, calls: int, endings: int, free: int, *, line_flows: bool, idle: float
    ) -> tuple[int, int]:
        """Return how many endings go with a call, and how many jobs it asks for.

        All, unless a second call takes the rest at once.

        Args:
            calls, endings, free, line_flows: As `may_call`.
            idle: For how many seconds no call has been under way.
        """
        want = max(0, min(free, self.half))
        if calls or self.lanes == 1 or not line_flows:
            return endings, want
        if endings > self.half:
            sent = self.half
        elif endings >= MIN_PARTED and idle > PAUSE_SECONDS:
            sent, want = (endings + 1) // 2, (want + 1) // 2
        else:
            return endings, want
        if self.is_worth_it(endings - sent, free - want):
            return sent, want
        return endings, max(0, min(free, self.half))
