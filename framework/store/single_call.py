"""A lane for a single call: it may be sent twice, and acts once."""

import uuid
from collections.abc import Sequence
from typing import Any

from framework.store.connection import Argument
from framework.store.script import Script
from framework.store.store import Store


class SingleCall:
    """Sends one call on a shared connection; make a new one for each.

    Args:
        store: Where it goes. It is sent again, as long as the store's timeout allows.
    """

    def __init__(self, store: Store) -> None:
        self.name = f"{uuid.uuid4().hex}:0"
        self._store = store

    async def call(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[Argument],
        *,
        seconds: float | None,
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Run a script whose first two arguments are ``sequence`` and ``lane_ms``.

        Raises:
            RedisUnavailableError: No answer in time; the call may have run.
            RedisRefusedError: Redis refused.
        """
        memory_ms = round(3000 * self._store.timeout)
        return await self._store.run(script, keys, [1, memory_ms, *args])
