"""A lane: one connection whose calls may be sent twice and still act once.

Each call carries a sequence number; its script keeps the last number and answer of the
lane in Redis, and answers a number it knows as it did before.
"""

from collections.abc import Sequence
from typing import Any

from redis import exceptions

from framework.store.address import Address
from framework.store.answers import is_passing, translate
from framework.store.connection import REPLY_SECONDS, Argument, Command, HeldConnection, pack
from framework.store.copies import Copies
from framework.store.outage import Outage
from framework.store.patience import Patience
from framework.store.script import Script

# How long Redis remembers a lane's last answer. Longer than any resend waits.
MEMORY_MS = 3_600_000


class Lane:
    """Sends one call at a time.

    Args:
        name: Unique in the whole fleet.
        connection: Its own.
        address: For the texts of errors.
        outage: Told of failed and of successful calls.
        copies: Waits until replicas have what was written; None: there are none.
    """

    def __init__(
        self,
        name: str,
        connection: HeldConnection,
        address: Address,
        outage: Outage,
        copies: Copies | None = None,
    ) -> None:
        self.name = name
        self._outage = outage
        self._connection = connection
        self._address = address
        self._sequence = 0
        self._copies = copies

    async def call(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[Argument],
        *,
        seconds: float | None,
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Run a script whose first two arguments are ``sequence`` and ``lane_ms``.

        Args:
            script: From `load_script`.
            keys: As its header lists them.
            args: The arguments after those two.
            seconds: How long to try; None: until Redis answers.

        Raises:
            RedisUnavailableError: No answer in time; the call may have run.
            RedisRefusedError: Redis refused (never when ``seconds`` is None).
        """
        self._sequence += 1
        command = pack("EVALSHA", script.sha, len(keys), *keys, self._sequence, MEMORY_MS, *args)
        patience = Patience(seconds, self._outage)
        patience.begin()
        while True:
            try:
                reply = await self._send(command, min(REPLY_SECONDS, patience.left), keys[0])
            except exceptions.NoScriptError:
                trouble = await self._load(script, keys[0])
            except (exceptions.RedisError, OSError) as error:
                trouble = error
            else:
                if self._outage.error is not None:
                    self._outage.end()
                return reply
            if trouble is None:
                continue
            told = translate(trouble, self._address)
            self._outage.begin(told)
            hopeless = seconds is not None and not is_passing(trouble)
            if hopeless or not await patience.wait():
                raise told from trouble

    async def _send(self, command: Command, deadline: float, key: str) -> Any:  # noqa: ANN401 - replies have any shape
        if self._copies is None:
            return await self._connection.call(command, deadline, key)
        return await self._copies.call(self._connection, command, deadline, key)

    async def _load(self, script: Script, key: str) -> Exception | None:
        try:
            await self._connection.call(pack("SCRIPT", "LOAD", script.text), key=key)
        except (exceptions.RedisError, OSError) as error:
            return error
        return None

    async def drop(self) -> None:
        """Close the socket now; a call under way is sent again."""
        await self._connection.drop()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.aclose()
