"""Words the jobs of a bulk part by part, so that one part travels while the next is worded."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from framework.client.line import check_size, not_added
from framework.errors import PayloadError
from framework.store.transitions.add import MOST_BYTES, NewJob
from framework.wire.options import AddOptions
from framework.wire.payload import Codec

T = TypeVar("T")

# What is added all or nothing.
MOST_JOBS = 500
# How many of more jobs than that go first: Redis begins early, and each further part, of twice as
# many, is worded while it works on the one before.
FIRST_JOBS = 125


def check_all(name: str, codec: Codec[T], payloads: Iterable[T]) -> list[T]:
    """Return payloads as values of their type.

    Args:
        name: The jobs' name, for errors.

    Raises:
        PayloadError: One does not fit; its place is named.
    """
    items = list(payloads)
    for place, item in enumerate(items):
        try:
            items[place] = codec.check(item)
        except PayloadError as error:
            raise placed(not_added(name, error), place, len(items)) from error
    return items


def placed(error: PayloadError, place: int, count: int) -> PayloadError:
    """Return an error that names the payload's place."""
    return PayloadError(f"payload {place} of {count}: {error}")


def worded(name: str, codec: Codec[T], items: Sequence[T], options: AddOptions) -> Iterator[NewJob]:
    """Yield the jobs of one name and of the same options, whose items `check_all` has returned.

    Raises:
        PayloadError: JSON cannot hold an item.
        OptionsError: One is larger than ``size_limit``.
    """
    try:
        for text in codec.encode_many(items):
            check_size(text, options)
            yield NewJob(name, text, options)
    except PayloadError as error:
        raise not_added(name, error) from error


def parts_of(jobs: Iterable[NewJob], count: int) -> Iterator[list[NewJob]]:
    """Yield the jobs of one call after the other: at most 500 jobs or 1 MiB.

    Up to 500 jobs are one call's.

    Args:
        jobs: All of them.
        count: How many they are, for errors.

    Raises:
        PayloadError: From ``jobs``, with the place of the one that it would have yielded next.
    """
    part: list[NewJob] = []
    size = worded_so_far = 0
    most = MOST_JOBS if count <= MOST_JOBS else FIRST_JOBS
    try:
        for job in jobs:
            worded_so_far += 1
            size += job.size
            if part and (size > MOST_BYTES or len(part) == most):
                yield part
                most = min(MOST_JOBS, 2 * most)
                part, size = [], job.size
            part.append(job)
    except PayloadError as error:
        raise placed(error, worded_so_far, count) from error
    if part:
        yield part
