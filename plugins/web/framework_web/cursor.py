"""How far a client has come: what stands in the ``id`` of each event, and in ``Last-Event-ID``."""

import re
from dataclasses import dataclass

FIRST = "0-0"
ENTRY = r"[0-9]{1,19}-[0-9]{1,19}"
EVENT_ID = re.compile(ENTRY)
SHAPE = re.compile(rf"({ENTRY})(?:\.([0-9]{{1,9}})(?:\.({ENTRY}))?)?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a client of one task has come.

    Attributes:
        event: The id of the last event of the queue's stream.
        rows: How many rows of the log it has.
        chunk: The id of the last chunk that it has.
    """

    event: str
    rows: int = 0
    chunk: str = FIRST

    def __str__(self) -> str:
        if self.chunk != FIRST:
            return f"{self.event}.{self.rows}.{self.chunk}"
        return f"{self.event}.{self.rows}" if self.rows else self.event


def read_cursor(text: str | None) -> Cursor | None:
    """Read what a client sent; None where that is nothing of ours."""
    found = SHAPE.fullmatch(text or "")
    return Cursor(found[1], int(found[2] or 0), found[3] or FIRST) if found else None
