"""A worker as Redis sees it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker that is connected now, of this framework or of BullMQ.

    Attributes:
        id: Of its connection, as Redis counts them.
        name: What it calls itself; "" if it has no name.
        address: Where it connected from.
        age: For how long it has been connected.
        idle: For how long it has sent nothing.
    """

    id: str
    name: str
    address: str
    age: timedelta
    idle: timedelta
