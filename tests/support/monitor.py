"""All that Redis does, in its order, as MONITOR tells: what scripts do line by line, too."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import redis


class Monitor:
    """Listens in a thread of its own.

    Attributes:
        lines: What was done so far.
    """

    def __init__(self, client: "redis.Redis", only: str) -> None:
        self._client = client
        self._only = only.encode()
        self._end = uuid.uuid4().hex.encode()
        self._has_begun = threading.Event()
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._has_begun.wait(5), "MONITOR does not answer"

    def _listen(self) -> None:
        with self._client.monitor() as monitor:  # type: ignore[no-untyped-call]  # redis-py's
            self._has_begun.set()
            while self._end not in (line := monitor.connection.read_response()):
                if self._only in line:
                    self.lines.append(line.decode(errors="replace"))

    def end(self) -> list[str]:
        """Return all that was done until now, and listen no more."""
        if self._thread.is_alive():
            self._client.echo(self._end)
            self._thread.join(5)
        return self.lines


@contextmanager
def monitor(url: str, *, only: str) -> Iterator[Monitor]:
    """Listen to what Redis does with certain keys.

    Args:
        only: What a line must contain.
    """
    with redis.Redis.from_url(url) as client:
        listening = Monitor(client, only)
        try:
            yield listening
        finally:
            listening.end()
