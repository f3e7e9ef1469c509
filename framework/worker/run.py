"""One run of one job, as its context sees it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from framework.model.job import Token
from framework.store.store import Store
from framework.wire.job_hash import StoredJob
from framework.wire.keys import QueueKeys
from framework.wire.payload import Codec
from framework.worker.slots import Slot

Report = Callable[[object], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Run:
    """What a context works with."""

    store: Store
    keys: QueueKeys
    job: StoredJob[Any, Any]
    token: Token
    data: Codec[Any]
    slot: Slot
    report: Report
