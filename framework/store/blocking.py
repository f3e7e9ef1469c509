"""The store of a thread, for the one that keeps locks while the main loop is blocked."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from redis import exceptions

from framework.store.address import Address
from framework.store.answers import translate
from framework.store.connection import Argument
from framework.store.connections import Connections
from framework.store.script import Script


class BlockingStore:
    """Runs scripts from a thread of one's own, on an event loop of its own.

    A context manager, to be entered and left in that thread.

    Args:
        address: Where Redis is.
    """

    def __init__(self, address: Address) -> None:
        self._address = address

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self._connections = Connections(self._address)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._runner.run(self._connections.aclose())
        self._runner.close()

    def run(
        self, script: Script, keys: Sequence[str], args: Sequence[Argument], seconds: float
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Run a script.

        Args:
            seconds: How long it may take.

        Raises:
            FrameworkError: As `Store.run`, without any second try.
        """
        try:
            return self._runner.run(self._run(script, keys, args, seconds))
        except (exceptions.RedisError, OSError) as error:
            raise translate(error, self._address) from error

    def ping(self, seconds: float) -> None:
        """See that Redis answers, and have a connection from then on.

        Args:
            seconds: How long that may take.

        Raises:
            FrameworkError: As `Store.run`.
        """
        try:
            self._runner.run(self._ping(seconds))
        except (exceptions.RedisError, OSError) as error:
            raise translate(error, self._address) from error

    async def _ping(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            await self._connections.command("PING")

    async def _run(
        self, script: Script, keys: Sequence[str], args: Sequence[Argument], seconds: float
    ) -> Any:  # noqa: ANN401 - replies have any shape
        command = self._connections.command
        async with asyncio.timeout(seconds):
            try:
                return await command("EVALSHA", script.sha, len(keys), *keys, *args)
            except exceptions.NoScriptError:
                return await command("EVAL", script.text, len(keys), *keys, *args)
