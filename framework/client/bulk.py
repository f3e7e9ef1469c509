"""Words the jobs of a bulk part by part, so that one part travels while the next is worded."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from framework.client.line import not_added
from framework.errors import PayloadError
from framework.store.transitions.add import MOST_BYTES, NewJob
from framework.wire.payload import Codec

T = TypeVar("T")

# Half of what one call may take: then two parts of a thousand jobs overlap.
MOST_JOBS = 500


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


def parts_of(items: Sequence[T], word: Callable[[T], NewJob]) -> Iterator[list[NewJob]]:
    """Yield the jobs of one call after the other: at most 500 jobs or 1 MiB.

    Args:
        word: Makes a job of an item.

    Raises:
        PayloadError: From ``word``, with the item's place.
    """
    part: list[NewJob] = []
    size = 0
    for place, item in enumerate(items):
        try:
            job = word(item)
        except PayloadError as error:
            raise placed(error, place, len(items)) from error
        size += job.size
        if part and (size > MOST_BYTES or len(part) == MOST_JOBS):
            yield part
            part, size = [], job.size
        part.append(job)
    if part:
        yield part
