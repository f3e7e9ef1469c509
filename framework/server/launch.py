"""Have a server running: wait for the one that is there, else start one."""

import signal
import time
from collections.abc import Callable

from framework.errors import ServerError
from framework.server.directory import DataDirectory
from framework.server.locks import Lock, pauses
from framework.server.resp import state_of
from framework.server.spawn import Detached
from framework.server.tcp import password_of

# A server that loads its data says so all the while; one that says nothing is stuck.
LOADING_MAY_TAKE = 120.0
SILENCE_MAY_TAKE = 10.0


def launch(directory: DataDirectory, data: Lock, spawn: Callable[[Lock], Detached]) -> None:
    """Return once a server answers.

    The caller holds the lock to start it, and ``spawn`` starts a server that inherits the
    claim on the data. Whether one runs is told by that claim alone: a server that a killed
    starter left half-way is waited for, not started twice.

    Raises:
        ServerError: The server ended at once, does not answer, or does not keep its lock.
    """
    log_start = directory.log_size()
    started: Detached | None = None
    heard = time.monotonic()
    with Lock(directory.data_lock) as claim:
        for _ in pauses(LOADING_MAY_TAKE):
            if started is None and claim.try_exclusive():
                started = spawn(claim)
                claim.close()
            state = state_of(directory.socket, password=password_of(directory.tcp))
            if state == "ready":
                if started is not None and data.is_free() and started.poll() is None:
                    raise without_lock(started, directory)
                return
            if started is not None and started.poll() is not None:
                raise ended_at_once(started, directory, log_start)
            if state == "loading":
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE_MAY_TAKE:
                break
    raise ServerError(
        f"the embedded server of {directory} (process {data.read_pid()}) runs but does not "
        f"answer. Look into {directory.log}, or end it: framework server stop --dir {directory}"
    )


def without_lock(started: Detached, directory: DataDirectory) -> ServerError:
    """End a server that did not inherit its lock, as happens on network drives."""
    started.kill()
    started.wait()
    return ServerError(
        f"file locks do not hold in {directory}: a server there could not be told from none. "
        "Choose a directory on a local disk, or set REDIS_URL"
    )


def ended_at_once(started: Detached, directory: DataDirectory, log_start: int) -> ServerError:
    """Word why a server ended, as far as its own last lines tell."""
    code = started.returncode
    how = f"exit status {code}" if code >= 0 else signal.Signals(-code).name
    return ServerError(
        f"the embedded server ended at once ({how}). "
        f"The last lines of {directory.log}:{directory.log_tail(log_start)}"
    )
