"""File locks: the kernel's record of who starts, who runs and who uses a server.

A flock ends with the last process that holds the open file, however that process ends. So
what the locks say is never stale, unlike anything written down.
"""

import os
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Self

if sys.platform != "win32":
    import fcntl

LONGEST_PAUSE = 0.02


def pauses(within: float) -> Iterator[None]:
    """Yield at once, then after ever longer pauses, until ``within`` seconds are over."""
    deadline = time.monotonic() + within
    pause = 0.001
    while True:
        yield
        left = deadline - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)


class Lock:
    """A flock on one file; each object is a holder of its own, also within a process.

    Processes that this one spawns do not inherit it, and one that it forks lets go of it.
    """

    def __init__(self, path: Path, *, fd: int | None = None) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) if fd is None else fd
        OPEN_LOCKS.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def try_exclusive(self) -> bool:
        """Take the lock alone. A refusal also loses what this object held before."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock beside other sharers."""
        return self._try(fcntl.LOCK_SH)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait_exclusive(self, within: float | None = None) -> bool:
        """Wait until the lock is taken alone; without a limit, sleep in the kernel."""
        if within is None:
            fcntl.flock(self.fd, fcntl.LOCK_EX)
            return True
        return any(self.try_exclusive() for _ in pauses(within))

    def wait_shared(self, within: float) -> bool:
        """Wait until the lock is taken beside other sharers."""
        return any(self.try_shared() for _ in pauses(within))

    def is_free(self) -> bool:
        """Tell whether nobody holds it alone; this object must not hold it itself."""
        if not self.try_shared():
            return False
        self.release()
        return True

    def is_current(self) -> bool:
        """Tell whether the path still leads to this file: it may have been removed."""
        try:
            return os.path.samestat(os.fstat(self.fd), self.path.stat())
        except FileNotFoundError:
            return False

    def write_pid(self, pid: int | None) -> None:
        """Note who was given the lock; ``None`` wipes the note."""
        os.ftruncate(self.fd, 0)
        if pid is not None:
            os.pwrite(self.fd, b"%d\n" % pid, 0)

    def read_pid(self) -> int | None:
        """Read who was given the lock: true for as long as the lock is held."""
        note = os.pread(self.fd, 32, 0).strip()
        return int(note) if note.isdigit() else None

    def release(self) -> None:
        """Let go of the lock, for all processes that share this very open file."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file. The lock lives on in a process that inherited it."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


OPEN_LOCKS: weakref.WeakSet[Lock] = weakref.WeakSet()


def close_all() -> None:
    """Close every lock of this process: a forked child is no user of the server."""
    for lock in list(OPEN_LOCKS):
        lock.close()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=close_all)
