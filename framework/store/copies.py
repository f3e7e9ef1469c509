"""Makes sure that a replica has what a call wrote, where there are replicas.

A master answers before it copies. Killed in between, it takes along what its clients believe is
done; so a call counts only once a replica has it, and is sent again otherwise.
"""

from typing import Any

import anyio
import structlog
from redis import exceptions

from framework.store.connection import Command, HeldConnection

log = structlog.get_logger("framework.redis")

# Without replicas, look again for one so often.
ALONE_SECONDS = 30.0


class Copies:
    """What all lanes know of the replicas.

    Args:
        wanted: How many must have what a call wrote.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        # By the key of a call, since each node of a cluster has replicas of its own: how often
        # none answered in a row, and when to look again.
        self._misses: dict[str, int] = {}
        self._looks_at: dict[str, float] = {}

    async def call(
        self, connection: HeldConnection, command: Command, deadline: float, key: str
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Send a command as `HeldConnection.call`, and return once replicas have what it wrote.

        A master without replicas may be one that was replaced: the first time it is left. If
        the next has none either, its answers count as they are, for a while.

        Raises:
            ConnectionError: No replica has it; the command has run.
        """
        if self._misses and self._looks_at.get(key, 0) > anyio.current_time():
            return await connection.call(command, deadline, key)
        reply, copies = await connection.call_copied(command, self._wanted, deadline, key)
        if copies >= self._wanted:
            if self._misses:
                self._misses.pop(key, None)
            return reply
        misses = self._misses[key] = self._misses.get(key, 0) + 1
        if misses == 1:
            await connection.drop()
            raise exceptions.ConnectionError("no replica has confirmed it")
        self._looks_at[key] = anyio.current_time() + ALONE_SECONDS
        if misses == 2:  # noqa: PLR2004 - the first answer that counts all the same
            log.warning("no replica", problem="what is added now is lost if this server is")
        return reply
