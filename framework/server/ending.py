"""End a server once nobody uses it any more; shared by its users and the reaper."""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from framework.errors import ServerError
from framework.server.directory import DataDirectory
from framework.server.locks import Lock, pauses
from framework.server.resp import NoAnswerError, ReplyError, ask
from framework.server.tcp import password_of

# Within the five seconds that Ctrl-C may take; longer than the two seconds for which a server
# with a slow disk may hold back writes that it has acknowledged, and that a kill would lose.
ASK_FOR = 3.0
KILL_FOR = 0.5


def is_last(users: Lock) -> bool:
    """Tell whether nobody else uses the server; the caller holds the lock to start it.

    Under that lock nobody can come. A waiting reaper may hold the users' lock for a moment,
    and that alone proves that no user does.
    """
    return any(users.try_exclusive() or not users.try_shared() for _ in range(3))


def end_server(directory: DataDirectory, data: Lock) -> bool:
    """Ask the server to end, kill it if it does not, and return once it is gone.

    The caller holds the lock to start it. Returns whether there was one.

    Raises:
        ServerError: It still runs.
    """
    if data.is_free():
        return False
    if data.is_current() and ended_when_asked(directory, data):
        return True
    pid = data.read_pid()
    if pid is not None and is_server(pid, data):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        if any(data.is_free() for _ in pauses(KILL_FOR)):
            return True
    raise ServerError(f"the embedded server of {directory} (process {pid}) does not end")


def ended_when_asked(directory: DataDirectory, data: Lock) -> bool:
    """Send SHUTDOWN, again while nobody listens yet, and tell whether it helped."""
    password = password_of(directory.tcp)
    deadline = time.monotonic() + ASK_FOR
    while (left := deadline - time.monotonic()) > 0:
        with suppress(NoAnswerError, ReplyError):
            ask(directory.socket, "SHUTDOWN", "NOSAVE", password=password, within=left)
        if any(data.is_free() for _ in pauses(min(left, 0.1))):
            return True
    return False


def is_server(pid: int, data: Lock) -> bool:
    """Tell whether a process has the data's lock open: its number may be another's by now."""
    if sys.platform != "linux":
        return True
    mine = os.fstat(data.fd)
    try:
        links = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
    return any(leads_to(link, mine) for link in links)


def leads_to(link: Path, file: os.stat_result) -> bool:
    """Tell whether a process's open file is this one."""
    try:
        return os.path.samestat(link.stat(), file)
    except OSError:
        return False
