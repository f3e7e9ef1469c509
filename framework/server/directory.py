"""One data directory: where each file of a server lies, and what is said when one cannot."""

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from framework.errors import ServerError

# A socket's address takes 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET = 100
TAIL = 8


class DataDirectory:
    """The files of one server, all below one directory.

    ``data/`` holds the append-only file; ``server.sock`` and ``server.log`` are the server's;
    the locks say who starts it, runs it, uses it and waits for its end; ``keep`` exists while
    it shall outlive its users; ``tcp.conf`` holds port and password of one that listens on TCP.
    """

    def __init__(self, path: Path) -> None:
        # Resolved: the socket of a long path is named after it, and must have one name.
        self.path = Path(os.path.realpath(path))
        self.data = self.path / "data"
        self.log = self.path / "server.log"
        self.start_lock = self.path / "start.lock"
        self.data_lock = self.path / "data.lock"
        self.users_lock = self.path / "users.lock"
        self.reaper_lock = self.path / "reaper.lock"
        self.keep = self.path / "keep"
        self.tcp = self.path / "tcp.conf"
        self.socket = self.path / "server.sock"
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET:
            # Not TMPDIR, in which two users of one directory may differ.
            name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:24]
            self.socket = Path(f"/tmp/framework-{os.geteuid()}/{name}.sock")  # noqa: S108 - private, checked

    def __str__(self) -> str:
        return str(self.path)

    def is_used(self) -> bool:
        """Tell whether a server was ever started here."""
        return self.start_lock.exists()

    def prepare(self) -> None:
        """Make the folders, for their owner alone; one that exists keeps its mode."""
        with suppress(FileExistsError):
            self.path.mkdir(0o700, parents=True)
            (self.path / ".gitignore").write_text("*\n")
        self.data.mkdir(0o700, exist_ok=True)
        if self.socket.parent != self.path:
            make_private(self.socket.parent)

    def log_size(self) -> int:
        """Return how long the log is, so that a later look finds what is new."""
        return self.log.stat().st_size if self.log.exists() else 0

    def log_tail(self, start: int) -> str:
        """Return the last lines written to the log after ``start``, indented."""
        with self.log.open("rb") as log:
            # A log that had grown too long began anew.
            log.seek(start if start <= self.log_size() else 0)
            lines = log.read().decode(errors="replace").splitlines()[-TAIL:]
        return "".join(f"\n  {line}" for line in lines)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the file system refuses into a text that names the way out.

        Raises:
            ServerError: A file or a lock in the directory is refused.
        """
        if sys.platform == "win32":
            raise ServerError(
                "the embedded server does not run on Windows. "
                "Set REDIS_URL to a Redis or Valkey server"
            )
        try:
            yield
        except OSError as error:
            raise ServerError(
                f"the embedded server cannot keep its files and locks in {self.path} "
                f"({error.strerror or error}). "
                "Choose a writable directory on a local disk, or set REDIS_URL"
            ) from error


def make_private(folder: Path) -> None:
    """Make a folder in the shared temp folder, or check that the one there is ours alone."""
    folder.mkdir(0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise ServerError(
            f"{folder} is open to other users, and the embedded server's socket belongs there. "
            "Remove it, choose a data directory with a shorter path, or set REDIS_URL"
        )
