"""Plain commands, for what a plugin keeps in Redis beside queues."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from framework.store.store import Store
from framework.store.stream_reader import StreamReader, last_id


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """An entry of a stream.

    Attributes:
        id: Its id.
        fields: What it holds; bytes that are no UTF-8 are replaced.
    """

    id: str
    fields: Mapping[str, str]


class Redis:
    """Plain commands on the application's connections. Ask for it by its type.

    For what a plugin keeps beside queues: their keys are changed by `Queue` alone, which does it
    in scripts.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def command(self, *words: str | bytes | float, repeatable: bool = True) -> Any:  # noqa: ANN401 - replies have any shape
        """Run one command; the first key in it leads to its node of a cluster.

        Args:
            words: The command's; a blocking one would hold up others.
            repeatable: Whether a second run changes nothing more, so that it may be sent again
                when its reply is lost.

        Returns:
            What Redis answered, texts as bytes.

        Raises:
            RedisUnavailableError: No answer in time. What is not repeatable may have run.
            RedisRefusedError: Redis refused, for instance since the key is of another type.
        """
        return await self._store.command(*words, repeatable=repeatable)

    async def last_id(self, stream: str) -> str:
        """Return the id of a stream's newest entry, ``0-0`` where there is none.

        Raises:
            RedisUnavailableError: No answer in time.
            RedisRefusedError: The key is no stream.
        """
        return await last_id(self._store, stream)

    async def follow(self, stream: str, after: str) -> AsyncGenerator[list[StreamEntry], None]:
        """Yield what comes to a stream, for ever, on a connection of its own.

        An empty list where nothing came for five seconds, and each time that the line was cut: it
        is dialled again, but entries that were trimmed meanwhile are never seen.

        Args:
            stream: Its key. It need not be there yet.
            after: The id of the last entry known; see `last_id`.

        Raises:
            RedisRefusedError: Redis refuses to be read, for instance since the key is no stream.
        """
        reader = StreamReader(self._store, stream)
        reader.follow(stream, after)
        try:
            while True:
                found = await reader.read()
                yield [entry_of(*entry) for _, entries in found for entry in entries]
        finally:
            await reader.aclose()


def entry_of(entry_id: bytes, flat: Sequence[bytes]) -> StreamEntry:
    """Return an entry as it was read."""
    fields = zip(texts(flat[::2]), texts(flat[1::2]), strict=False)
    return StreamEntry(entry_id.decode(), dict(fields))


def texts(words: Sequence[bytes]) -> list[str]:
    """Return bytes as text."""
    return [word.decode(errors="replace") for word in words]
