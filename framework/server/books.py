"""The three locks of a data directory, as one holder has them open."""

from collections.abc import Iterator
from contextlib import contextmanager

from framework.errors import ServerError
from framework.server.directory import DataDirectory
from framework.server.locks import Lock


class Books:
    """Who starts, who runs and who uses a server.

    Always taken in this order: ``start``, alone, to start or end a server and to come or go
    as its user; then ``users``, shared by each of them. ``data`` is the server's, and is only
    looked at.
    """

    def __init__(self, directory: DataDirectory) -> None:
        self.directory = directory
        self.start = Lock(directory.start_lock)
        self.users = Lock(directory.users_lock)
        self.data = Lock(directory.data_lock)

    @property
    def is_open(self) -> bool:
        """Whether the files are open: they no longer are in a forked child."""
        return self.start.fd >= 0

    def is_current(self) -> bool:
        """Tell whether these are still the directory's files: it may have been removed."""
        return self.start.is_current() and self.data.is_current()

    @contextmanager
    def starting(self, within: float) -> Iterator[None]:
        """Keep all others from starting or ending the server, or coming and going.

        Raises:
            ServerError: Somebody else does so for longer than ``within`` seconds.
        """
        if not self.start.wait_exclusive(within):
            raise ServerError(
                f"another process has been starting the embedded server of {self.directory} "
                f"for more than {within:g} s. Look into {self.directory.log}"
            )
        try:
            yield
        finally:
            if self.is_open:
                self.start.release()

    def close(self) -> None:
        """Leave: as a user first, so that the next one to start or leave sees it."""
        for lock in (self.users, self.data, self.start):
            lock.close()
