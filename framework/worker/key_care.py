"""Name the keys of the wrong type that keep a queue's workers from their work, once.

A queue of which such a key was met is tried again, less and less often, and goes on by itself once
that is mended; the other queues of the process never notice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio
import structlog

from framework.errors import FrameworkError, KeyTypeError
from framework.store.odd_keys import find_odd_keys
from framework.store.store import Store
from framework.wire.keys import QueueKeys

log = structlog.get_logger("framework.worker")

LOOK_SECONDS = 1.0


@dataclass(slots=True)
class KeyCare:
    """Looks after the keys of the queues of one process.

    Args:
        store: Where the queues are.
        queues: All of them.

    Attributes:
        odd: What is wrong now, by queue.
    """

    store: Store
    queues: Sequence[QueueKeys]
    odd: dict[str, tuple[KeyTypeError, ...]] = field(
        default_factory=dict[str, tuple[KeyTypeError, ...]]
    )
    _met: int = 0

    async def run(self) -> None:
        """Look whenever a call met such a key, and while there is one, until cancelled."""
        while True:
            met = self.store.outage.odd_keys_met
            if met != self._met or self.odd:
                self._met = met
                await self.look()
            await anyio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once at all keys, and say what has changed."""
        try:
            found = {one.queue: tuple(await find_odd_keys(self.store, one)) for one in self.queues}
        except FrameworkError as error:
            self.store.outage.begin(error)
            return
        before, self.odd = self.odd, {queue: odd for queue, odd in found.items() if odd}
        self._tell(before)

    def _tell(self, before: Mapping[str, tuple[KeyTypeError, ...]]) -> None:
        known = {str(one) for odd in before.values() for one in odd}
        for queue, odd in self.odd.items():
            for one in odd:
                if str(one) not in known:
                    log.error(
                        "a key is of the wrong type: the queue cannot be worked",
                        queue=queue,
                        key=one.key,
                        type=one.found,
                        should_be=one.wanted,
                        fix=one.fix,
                    )
        for queue in before.keys() - self.odd.keys():
            log.info("its keys are of the right types again", queue=queue)
