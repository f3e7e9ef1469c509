"""The workers that are registered: a hash in Redis, and a stream that announces its changes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from framework import Redis
from framework_gateway.settings import GatewaySettings

WORKER = "worker"


class Registry:
    """Where workers are registered.

    Args:
        redis: Where it is.
        settings: The names of its keys.
    """

    def __init__(self, redis: Redis, settings: GatewaySettings) -> None:
        self._redis = redis
        self._hash = settings.worker_metadata_key
        self._stream = settings.worker_metadata_stream
        self._most = settings.max_len_worker_metadata_stream

    async def put(self, queue: str, stored: bytes) -> None:
        """Register the worker of a queue in place of another, and announce it."""
        await self._redis.command("HSET", self._hash, queue, stored)
        await self._announce(queue)

    async def remove(self, queue: str) -> bool:
        """Remove the worker of a queue and announce it; tell whether there was one."""
        if not await self._redis.command("HDEL", self._hash, queue, repeatable=False):
            return False
        await self._announce(queue)
        return True

    async def _announce(self, queue: str) -> None:
        about = ("MAXLEN", "~", self._most, "*")
        await self._redis.command("XADD", self._stream, *about, WORKER, queue)

    async def one(self, queue: str) -> bytes | None:
        """Return what is stored of a queue's worker."""
        stored: bytes | None = await self._redis.command("HGET", self._hash, queue)
        return stored

    async def all(self) -> dict[str, bytes]:
        """Return what is stored of all workers, by their queues."""
        found: dict[bytes, bytes] = await self._redis.command("HGETALL", self._hash)
        return {queue.decode(errors="replace"): stored for queue, stored in found.items()}

    async def position(self) -> str:
        """Return where the stream ends now."""
        return await self._redis.last_id(self._stream)

    async def changes(self, after: str) -> AsyncGenerator[list[tuple[str, str]], None]:
        """Yield positions, and the queues whose workers have changed since; at times nothing."""
        async with aclosing(self._redis.follow(self._stream, after)) as following:
            async for entries in following:
                yield [(one.id, one.fields.get(WORKER, "")) for one in entries]
