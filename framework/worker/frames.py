"""What a worker and its child processes tell each other: frames of JSON and bytes.

A frame is two lengths of four bytes each, of all that follows and of the head; the head, a
JSON object; then the parts that the head counts, as they are: payloads and results are JSON
texts already.
"""

import asyncio  # noqa: TID251 - its streams take a socket that is there
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import Any, Self

LENGTHS = struct.Struct(">II")


class LinkEndedError(Exception):
    """The other side is gone."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing told.

    Attributes:
        kind: What it is.
        facts: What JSON can hold.
        parts: Texts and bytes that need no words around them.
    """

    kind: str
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    parts: tuple[bytes, ...] = ()


def pack(message: Message) -> bytes:
    """Return the frame of a message."""
    sizes = [len(part) for part in message.parts]
    head = json.dumps([message.kind, message.facts, sizes]).encode()
    total = len(head) + sum(sizes)
    return b"".join((LENGTHS.pack(total, len(head)), head, *message.parts))


def unpack(body: bytes, head_size: int) -> Message:
    """Return the message of a frame, its lengths taken off."""
    kind, facts, sizes = json.loads(body[:head_size])
    parts, begin = [], head_size
    for size in sizes:
        parts.append(body[begin : begin + size])
        begin += size
    return Message(kind, facts, tuple(parts))


class Link:
    """One end of a socket pair, for messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """Use a socket; it is the link's from now on."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    async def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            LinkEndedError: The other side is gone.
        """
        self._writer.write(pack(message))
        try:
            await self._writer.drain()
        except OSError as error:
            raise LinkEndedError from error

    async def receive(self) -> Message:
        """Wait for the next message.

        Raises:
            LinkEndedError: The other side is gone.
        """
        try:
            lengths = await self._reader.readexactly(LENGTHS.size)
            total, head_size = LENGTHS.unpack(lengths)
            return unpack(await self._reader.readexactly(total), head_size)
        except (OSError, EOFError) as error:
            raise LinkEndedError from error

    def close(self) -> None:
        """Close it; what was not sent is lost."""
        self._writer.transport.abort()
