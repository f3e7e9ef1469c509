"""The reaper: a small process that ends a server whose last user was killed.

It sleeps in the kernel until the users' lock is free, which it is as soon as no user lives.
It is spawned before the server, so a starter killed half-way leaves nothing behind.
"""

from pathlib import Path

from framework.server.directory import DataDirectory
from framework.server.ending import end_server, is_last
from framework.server.locks import Lock


def main(path: str, alive: str, start: str, users: str, data: str) -> None:
    """Wait for the last user to go, end the server, and exit.

    Args:
        path: The data directory.
        alive: An inherited open file, as its number: the lock that says that we wait.
        start: The same: the lock to start or end a server.
        users: The same: the lock that users share.
        data: The same: the lock that the server holds.
    """
    directory = DataDirectory(Path(path))
    waits = Lock(directory.reaper_lock, fd=int(alive))
    starts = Lock(directory.start_lock, fd=int(start))
    used = Lock(directory.users_lock, fd=int(users))
    served = Lock(directory.data_lock, fd=int(data))
    while True:
        used.wait_exclusive()
        # Users take the lock to start first: holding both in the other order would deadlock.
        used.release()
        starts.wait_exclusive()
        if is_last(used):
            break
        used.release()
        starts.release()
    try:
        if not directory.keep.exists():
            end_server(directory, served)
    finally:
        # First this one: who starts a server next must not count on us.
        waits.release()
        starts.release()
