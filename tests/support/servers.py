"""Redis servers that a test starts itself, and may kill.

Each listens on a free port of this machine, keeps its files in the test's folder, and is ended
by its process. Starting is bounded: what is not ready in time fails.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from framework.server import find_binary

HOST = "127.0.0.1"
READY_WITHIN = 15.0
COMMON = ("--save", "", "--appendonly", "no", "--bind", HOST, "--daemonize", "no")
REPLICATING = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")


class Server:
    """One server process.

    Args:
        folder: Where it keeps its files and its log.
        options: Its arguments, beside a port of its own.
        binary: The embedded server's, unless given.
    """

    def __init__(
        self, folder: Path, *options: str, port: int | None = None, binary: Path | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.folder = folder
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a server we found ourselves
                [str(binary or find_binary()), *options, "--dir", str(folder)],
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**os.environ, "LC_ALL": "C"},
            )

    @property
    def url(self) -> str:
        """Its address, for clients that talk to it alone."""
        return f"redis://{HOST}:{self.port}"

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, *command: object) -> Any:  # noqa: ANN401 - replies have any shape
        """Run one command on it, past any client of ours."""
        return self.ask_as(None, *command)

    def ask_as(self, password: str | None, *command: object) -> Any:  # noqa: ANN401 - replies have any shape
        """The same, with a password."""
        retry = Retry(NoBackoff(), 0)
        with redis.Redis(
            port=self.port, password=password, retry=retry, socket_timeout=2, decode_responses=True
        ) as client:
            return client.execute_command(*command)

    def says(self, field: str) -> str:
        """Return a field of its INFO."""
        info: dict[str, Any] = self.ask("INFO")
        return str(info.get(field))

    def is_ready(self) -> bool:
        """Tell whether it answers."""
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            if not self.is_alive:
                raise AssertionError(f"the server ended:\n{self._log.read_text()}") from None
            return False

    def kill(self) -> None:
        """`kill -9` it."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Let it answer nobody until `thaw`."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait in this thread: fixtures of a session have no event loop."""
    end = time.monotonic() + READY_WITHIN
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {READY_WITHIN:g} s")
        time.sleep(0.02)


def wait_for_all(
    servers: Iterable[Server], condition: Callable[[Server], object], what: str
) -> None:
    """Wait until something is true of each server."""
    for server in servers:
        wait_for(partial(condition, server), what)


@contextmanager
def one_server(folder: Path, *options: str, binary: Path | None = None) -> Iterator[Server]:
    """Start a plain server."""
    port = free_port()
    server = Server(folder, "--port", str(port), *COMMON, *options, port=port, binary=binary)
    try:
        wait_for(server.is_ready, "a server starts")
        yield server
    finally:
        server.kill()
