"""One exchange under way: it takes its reply itself, in the turn in which that comes.

A task that waited for the reply would cost a lone job two more turns of the event loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from typing_extensions import override

from framework.store.lane import Lane, Numbered
from framework.store.sent_call import SentCall
from framework.store.transitions.ending import Ending
from framework.store.transitions.exchange import (
    EXCHANGE,
    Exchanged,
    Taker,
    exchange_args,
    exchange_keys,
    exchanged,
)
from framework.wire.keys import QueueKeys
from framework.worker.deliveries import Delivery


@dataclass(slots=True)
class TripLane:
    """A lane of a pump, which travels one trip at a time.

    Args:
        lane: Where calls go.
        keys: The queue.
        taker: For whom jobs are taken.
    """

    lane: Lane
    keys: QueueKeys
    taker: Taker
    _script_keys: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._script_keys = exchange_keys(self.lane.name, self.keys, self.taker)

    def word(self, trip: "Trip") -> Numbered:
        """Return the call of a trip."""
        args = exchange_args(
            trip.endings,
            self.taker,
            want=trip.want,
            next_token=trip.next_token,
            now_ms=trip.now_ms,
        )
        return self.lane.number(EXCHANGE, self._script_keys, args)

    def read(self, trip: "Trip", reply: Sequence[Any]) -> Exchanged:
        """Return what a trip came back with."""
        return exchanged(
            reply,
            trip.endings,
            self.keys,
            self.taker,
            next_token=trip.next_token,
            now_ms=trip.now_ms,
        )


class Receives(Protocol):
    """Who makes trips: a pump."""

    def landed(self, trip: "Trip", reply: Sequence[Any]) -> None:
        """Take the reply."""
        ...

    def hand_over(self, trip: "Trip") -> None:
        """Leave to a task what cannot be done at once."""
        ...


@dataclass(slots=True, eq=False)
class Trip(SentCall):
    """One exchange, from its call to what it came back with.

    Args:
        home: Told of the reply.
        on: Its own until it is over.
        batch: What it delivers.
        endings: Those of the batch.
        want: How many jobs it asks for.
        next_token: The first number of their tokens.
        now_ms: The time that it tells.
        sent: When, by ``time.monotonic``.

    Attributes:
        call: As it is sent; None: not yet worded.
        came: What it came back with; None: nothing yet.
        trouble: Why it must be sent again.
        failure: What no second try would mend.
    """

    home: Receives
    on: TripLane
    batch: list[Delivery]
    endings: list[Ending]
    want: int
    next_token: int
    now_ms: int
    sent: float
    call: Numbered | None = None
    came: Exchanged | None = None
    trouble: Exception | None = None
    failure: Exception | None = None

    @override
    def landed(self, reply: Sequence[Any]) -> None:
        self.home.landed(self, reply)

    @override
    def set_exception(self, error: Exception) -> None:
        self.trouble = error
        self.home.hand_over(self)
