"""A server for one benchmark alone: it is emptied between runs."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from framework.server.binary import find_binary


class PrivateServer:
    """A running server that nobody else uses."""

    def __init__(self, url: str, redis: Redis) -> None:
        self.url = url
        self.redis = redis

    @property
    def version(self) -> str:
        info = self.redis.info("server")
        name = "valkey" if "valkey_version" in info else "redis"
        allocator = self.redis.info("memory")["mem_allocator"]
        return f"{name} {info.get('valkey_version') or info['redis_version']} ({allocator})"

    @property
    def used_memory(self) -> int:
        return int(self.redis.info("memory")["used_memory"])

    def clear(self) -> None:
        """Remove every key and every script."""
        self.redis.flushall()
        self.redis.script_flush()


@contextmanager
def private_server(environment: Mapping[str, str]) -> Iterator[PrivateServer]:
    """Start a server at a free port; end it and remove its folder afterwards.

    It is the machine's own Redis or Valkey if there is one, as in production: the wheel's is built
    without jemalloc and takes half as much again for everything. REDIS_SERVER names another.
    It listens at TCP, as all peers can reach. Nothing is written to disk: the queues are measured.
    """
    setting = environment.get("REDIS_SERVER")
    own = setting or shutil.which("redis-server") or shutil.which("valkey-server")
    binary = find_binary(Path(own) if own else None)
    with TemporaryDirectory(prefix="bench-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        server = subprocess.Popen(  # noqa: S603 - the server's own binary
            [binary, *options, "--dir", folder], cwd=folder, stdout=subprocess.DEVNULL
        )
        try:
            with Redis(port=port) as redis:
                wait_for(redis)
                yield PrivateServer(f"redis://127.0.0.1:{port}/0", redis)
        finally:
            server.terminate()
            server.wait()


def wait_for(redis: Redis) -> None:
    """Wait until a server that was just started answers."""
    deadline = time.monotonic() + 10
    while True:
        try:
            redis.ping()
        except RedisConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
