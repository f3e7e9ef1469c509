"""One run of one job, as its context sees it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from framework.model.job import Token
from framework.model.outcome import Parked, Wish
from framework.store.store import Store
from framework.wire.job_hash import StoredJob
from framework.wire.keys import QueueKeys
from framework.wire.payload import Codec
from framework.worker.slots import Slot

Report = Callable[[object], Awaitable[None]]


@dataclass(slots=True)
class Run:
    """What a context works with.

    Attributes:
        wish: How the run asked to leave, if it did.
    """

    store: Store
    keys: QueueKeys
    job: StoredJob[Any, Any]
    token: Token
    data: Codec[Any]
    slot: Slot
    report: Report
    wish: Wish | None = None

    def leave(self, wish: Wish) -> NoReturn:
        """Leave the run, and remember that it wanted to.

        Raises:
            Parked: Always.
        """
        self.wish = wish
        raise Parked(wish)
