"""A small synchronous client, for the thread that keeps locks while the loop is blocked."""

from collections.abc import Sequence
from typing import Any, cast

from redis import BlockingConnectionPool, Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from framework.errors import FrameworkError
from framework.store.address import Address
from framework.store.connection import Argument, translate
from framework.store.script import Script


class BlockingStore:
    """Runs scripts from a thread of one's own.

    Args:
        address: Where Redis is.
        seconds: Deadline of each call.
    """

    def __init__(self, address: Address, *, seconds: float) -> None:
        self._address = address
        pool = BlockingConnectionPool.from_url(
            address.url,
            max_connections=1,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            retry_on_timeout=False,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
        )
        self._client = Redis(connection_pool=pool)

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:  # noqa: ANN401 - replies have any shape
        """Run a script.

        Raises:
            FrameworkError: As `Store.run`, without any second try.
        """
        client = cast("Any", self._client)
        try:
            try:
                return client.execute_command("EVALSHA", script.sha, len(keys), *keys, *args)
            except exceptions.NoScriptError:
                return client.execute_command("EVAL", script.text, len(keys), *keys, *args)
        except (exceptions.RedisError, OSError) as error:
            told: FrameworkError = translate(error, self._address)
            raise told from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
