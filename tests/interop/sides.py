"""Operations by hand, done by Node or by us: no worker runs, so nothing happens by chance.

Both take Node's words for methods and options; `OurHand` says them in ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Tree = Mapping[str, Any]
# Who holds the jobs that were taken.
HOLDER = "somebody"


class Hand(Protocol):
    """Who does the operations."""

    async def add(self, queue: str, name: str, data: object = None, **options: Any) -> str:  # noqa: ANN401 - Node's words
        """Add a job; return its id."""

    async def add_bulk(self, queue: str, names: Sequence[str]) -> None:
        """Add jobs."""

    async def add_flow(self, tree: Tree) -> None:
        """Add a tree."""

    async def upsert(
        self, queue: str, scheduler: str, repeat: Mapping[str, Any], name: str
    ) -> None:
        """Make or change a schedule."""

    async def take(self, queue: str) -> str | None:
        """Take the next job; return its id."""

    async def held(self, queue: str, job_id: str, what: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        """Do something to a job that was taken, as Node's Job calls it."""

    async def job(self, queue: str, job_id: str, what: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        """Do something to any job, as Node's Job calls it."""

    async def queue(self, queue: str, what: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        """Do something to a queue, as Node's Queue calls it."""

    async def refused(self, queue: str, job_id: str, what: str, *args: Any) -> bool:  # noqa: ANN401 - JSON
        """Do something to a held job that is refused; tell whether it was."""


class Counted:
    """A hand that counts what it does."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self.count = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the hand has
        self.count += 1
        return getattr(self._hand, name)
