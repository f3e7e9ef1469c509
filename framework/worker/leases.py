"""Until when the jobs of a worker are certainly its own, by its own reckoning.

While Redis cannot be reached, nobody says that a lock has expired. Who goes on after that runs
a job that another worker may have: so it must know by itself.
"""

from collections.abc import Mapping
from math import inf

from framework.model.job import JobId, Token


class Leases:
    """What one worker knows of its locks.

    Args:
        seconds: How long a lock holds.
        now: By ``time.monotonic``, as all times here.
    """

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._since: dict[Token, float] = {}
        self._looked = now

    def look(self, held: Mapping[JobId, Token], now: float) -> None:
        """Take note of what is held; what is new was taken after the last look."""
        known, looked = self._since, self._looked
        self._since = {token: known.get(token, looked) for token in held.values()}
        self._looked = now

    def renewed(self, at: float) -> None:
        """Note that all locks known of were renewed then."""
        self._since = {token: max(since, at) for token, since in self._since.items()}

    @property
    def ends(self) -> float:
        """When the first of them may have expired."""
        return min(self._since.values(), default=inf) + self._seconds

    def take_expired(self, held: Mapping[JobId, Token], now: float) -> list[tuple[JobId, Token]]:
        """Return the jobs whose locks may have expired, each once."""
        found = [
            (job_id, token)
            for job_id, token in held.items()
            if self._since.get(token, inf) + self._seconds <= now
        ]
        self._since.update((token, inf) for _, token in found)
        return found
