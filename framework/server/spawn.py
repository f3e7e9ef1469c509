"""Start the two processes that outlive their starter: the server and its reaper."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from framework.errors import ServerError
from framework.server.directory import DataDirectory
from framework.server.locks import Lock

Fsync = Literal["everysec", "always"]

LOG_LIMIT = 1 << 20
PACKAGE_ROOT = Path(__file__).parents[2]
REAPER = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from framework.server.reaper import main; main(*sys.argv[2:])"
)


class Detached(subprocess.Popen[bytes]):
    """A process in a session of its own, which nobody has to wait for."""

    def __init__(
        self, argv: Sequence[str], directory: DataDirectory, *, inherits: Sequence[Lock]
    ) -> None:
        directory.log.touch(0o600)
        with directory.log.open("ab") as log:
            super().__init__(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=directory.data,
                # A server refuses to start in a locale that the machine does not have.
                env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
                umask=0o077,
                pass_fds=[lock.fd for lock in inherits],
            )
        reap()
        DETACHED.append(self)

    def __del__(self) -> None:
        # Popen's own warns of a process that still runs, which this one is meant to do.
        pass


DETACHED: list[Detached] = []


def reap() -> None:
    """Collect the processes that ended, so that none stays a zombie for long."""
    DETACHED[:] = [process for process in DETACHED if process.poll() is None]


def server_arguments(directory: DataDirectory, *, appendfsync: Fsync, tcp: bool) -> list[str]:
    """Word the server's configuration as its arguments."""
    options = {
        "unixsocket": str(directory.socket),
        "unixsocketperm": "700",
        "dir": str(directory.data),
        "appendonly": "yes",
        "appendfsync": appendfsync,
        # Otherwise only this very kind of server could read the files.
        "aof-use-rdb-preamble": "no",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    head = [str(directory.tcp)] if tcp else ["--port", "0"]
    return head + [word for name, value in options.items() for word in (f"--{name}", value)]


def spawn_server(
    binary: Path, arguments: Sequence[str], directory: DataDirectory, claim: Lock
) -> Detached:
    """Start a server that inherits the lock on its data.

    Raises:
        ServerError: The program cannot be run.
    """
    if directory.log_size() > LOG_LIMIT:
        directory.log.unlink()
    claim.write_pid(None)
    try:
        server = Detached([str(binary), *arguments], directory, inherits=[claim])
    except OSError as error:
        raise ServerError(
            f"{binary} cannot be run as the embedded server ({error.strerror}). "
            "Choose another binary, or set REDIS_URL"
        ) from error
    claim.write_pid(server.pid)
    return server


def spawn_reaper(directory: DataDirectory) -> None:
    """Start the process that ends the server after its last user, unless one waits already.

    It gets open files of its own, so that it stays with these locks even if somebody removes
    the directory, and it inherits a lock that says that it lives.
    """
    if not sys.executable or getattr(sys, "frozen", False):
        return
    with Lock(directory.reaper_lock) as alive:
        if not alive.try_exclusive():
            return
        with (
            Lock(directory.start_lock) as start,
            Lock(directory.users_lock) as users,
            Lock(directory.data_lock) as data,
        ):
            locks = [alive, start, users, data]
            fds = [str(lock.fd) for lock in locks]
            python = [sys.executable, "-I", "-S", "-c", REAPER]
            argv = [*python, str(PACKAGE_ROOT), str(directory), *fds]
            Detached(argv, directory, inherits=locks)
