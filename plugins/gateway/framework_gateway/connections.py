"""Who is connected: for the status, and to close what a revoked token opened."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import anyio

from framework_gateway.auth import Channel, Token


class Closes(Protocol):
    """What can be closed, and tells what it holds."""

    @property
    def in_hand(self) -> int:
        """How many jobs, or how many requests, it has now."""
        ...

    def close_soon(self, code: int, reason: str) -> None:
        """Close it."""
        ...


@dataclass(eq=False, slots=True)
class Entry:
    """One connection, as the status tells of it.

    Attributes:
        channel: What it is.
        queue: Its queue.
        client: The address of the other side.
        since_ms: Since when.
        token: What it was opened with.
        connection: The connection itself.
        concurrency: How many jobs a worker has at once; None: it is none.
        name: What the client calls itself.
    """

    channel: Channel
    queue: str
    client: str
    since_ms: int
    token: Token | None
    connection: Closes
    concurrency: int | None = None
    name: str = ""

    def told(self) -> dict[str, object]:
        """Return it as JSON; nothing of its token."""
        facts: dict[str, object] = {
            "channel": self.channel.value,
            "queue": self.queue,
            "client": self.client,
            "since": self.since_ms,
        }
        if self.name:
            facts["name"] = self.name
        if self.concurrency is not None:
            facts["concurrency"] = self.concurrency
            facts["inHand"] = self.connection.in_hand
        return facts


@dataclass(slots=True)
class Connections:
    """All WebSockets that are open."""

    _entries: dict[int, Entry] = field(default_factory=dict[int, Entry])
    _queues: Counter[str] = field(default_factory=Counter[str])
    _left: anyio.Event = field(default_factory=anyio.Event)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def add(self, entry: Entry) -> None:
        """Note one that was opened."""
        self._entries[id(entry)] = entry
        self._queues[entry.queue] += 1

    def remove(self, entry: Entry) -> None:
        """Forget one that was closed."""
        if self._entries.pop(id(entry), None) is not None:
            self._queues -= Counter((entry.queue,))
        self._left.set()

    def uses(self, queue: str) -> bool:
        """Tell whether anybody is connected to a queue."""
        return queue in self._queues

    def count(self, channel: Channel) -> int:
        """Tell how many of a channel are open."""
        return sum(entry.channel is channel for entry in self._entries.values())

    async def gone(self) -> None:
        """Wait until none is open."""
        while self._entries:
            self._left = anyio.Event()
            await self._left.wait()

    def close(self, code: int, reason: str, *, token: Token | None = None) -> None:
        """Close all, or those that a token opened."""
        for entry in self:
            if token is None or entry.token is token:
                entry.connection.close_soon(code, reason)
