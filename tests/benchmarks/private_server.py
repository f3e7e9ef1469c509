"""A server for one benchmark alone: it is emptied between runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from framework.server import EmbeddedServer


class PrivateServer:
    """A running server that nobody else uses."""

    def __init__(self, url: str, redis: Redis) -> None:
        self.url = url
        self._redis = redis

    @property
    def version(self) -> str:
        info = self._redis.info("server")
        return str(info.get("valkey_version") or info["redis_version"])

    def clear(self) -> None:
        """Remove every key and every script."""
        self._redis.flushall()
        self._redis.script_flush()


@contextmanager
def private_server() -> Iterator[PrivateServer]:
    """Start a server in a new folder; end it and remove the folder afterwards."""
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        EmbeddedServer(Path(folder)) as embedded,
    ):
        url = embedded.start().url
        with Redis.from_url(url) as redis:
            # The queues are measured, not the disk; a rewrite of the log amid a run least of all.
            redis.config_set("appendonly", "no")
            yield PrivateServer(url, redis)
