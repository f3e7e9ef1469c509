"""What callers hand to the `Adder`, and how each gets its own answer or error."""

import asyncio
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from framework.errors import FrameworkError
from framework.store.transitions.add import AddedJob, AddedJobs, Call, NewJob
from framework.store.transitions.add_linked import LinkedJob

J = TypeVar("J", NewJob, LinkedJob)
A = TypeVar("A", Call, Sequence[AddedJob])


class Parcel(Generic[J, A]):
    """Jobs of one caller that go in one call, and where its answer will be.

    Attributes:
        put_at: Since when it has had to wait for other calls.
    """

    __slots__ = ("answer", "jobs", "put_at")

    def __init__(self, jobs: Sequence[J], answer: "asyncio.Future[A]") -> None:
        self.jobs: Sequence[J] = jobs
        self.answer: asyncio.Future[A] = answer
        self.put_at = 0.0

    @property
    def size(self) -> int:
        """How many bytes its jobs take, roughly."""
        return sum([job.size for job in self.jobs])


class Bulk:
    """The parts of one bulk: what has landed, and what is under way.

    Attributes:
        jobs: What was added.
        calls: By which calls.
        sending: The part under way.
    """

    def __init__(self) -> None:
        self.jobs: list[NewJob] = []
        self.calls: list[Call] = []
        self.sending: Parcel[NewJob, Call] | None = None

    async def land(self) -> None:
        """Wait for the part under way, if any."""
        if self.sending is None:
            return
        parcel, self.sending = self.sending, None
        call = await parcel.answer
        start = len(self.jobs)
        there = frozenset(start + place for place in call.there)
        self.calls.append(call._replace(start=start, there=there))
        self.jobs += parcel.jobs

    def note(self, error: FrameworkError) -> None:
        """Tell an error which jobs had been added before it."""
        note_added(error, AddedJobs(self.jobs, self.calls))


def note_added(error: FrameworkError, jobs: Sequence[AddedJob]) -> None:
    """Tell an error which jobs had been added before it, for who wants to go on."""
    error.added = tuple(job.id for job in jobs)  # type: ignore[attr-defined]  # documented where it is raised
    if jobs:
        error.add_note(f"{len(jobs)} jobs had been added before")


def share_out(parcels: Sequence[Parcel[NewJob, Call]], call: Call) -> None:
    """Give each caller its share of what a call told."""
    if len(parcels) == 1:
        (parcel,) = parcels
        if not parcel.answer.done():
            parcel.answer.set_result(call)
        return
    first = 0
    for parcel in parcels:
        after = first + len(parcel.jobs)
        if not parcel.answer.done():
            parcel.answer.set_result(call.part(first, after))
        first = after


def answer(
    parcel: Parcel[LinkedJob, Sequence[AddedJob]], said: Sequence[AddedJob] | FrameworkError
) -> None:
    """Give a caller where its jobs went, or why none went."""
    if isinstance(said, FrameworkError):
        fail(parcel, said)
    elif not parcel.answer.done():
        parcel.answer.set_result(said)


def twin_of(error: FrameworkError) -> FrameworkError:
    """Return a copy of an error: each caller notes on its own what it had added before."""
    twin = type(error).__new__(type(error), *error.args)
    vars(twin).update(vars(error))
    twin.__cause__ = error.__cause__
    return twin


def fail_each(parcels: Sequence[Parcel[Any, Any]], error: Exception) -> None:
    """Give each caller a copy of an error; one that is not ours goes to all as it is."""
    for parcel in parcels:
        fail(parcel, twin_of(error) if isinstance(error, FrameworkError) else error)


def fail(parcel: Parcel[Any, Any], error: Exception) -> None:
    """Give a caller its error."""
    if not parcel.answer.done():
        parcel.answer.set_exception(error)
