"""A server for whoever needs one: the first user starts it, the last one ends it."""

from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

from framework.errors import ServerError
from framework.server.address import ServerAddress, address_of, ask_info
from framework.server.binary import find_binary
from framework.server.books import Books
from framework.server.directory import DataDirectory
from framework.server.ending import end_server, is_last
from framework.server.launch import launch
from framework.server.locks import Lock
from framework.server.spawn import (
    Detached,
    Fsync,
    reap,
    server_arguments,
    spawn_reaper,
    spawn_server,
)
from framework.server.tcp import write_settings

Life = Literal["session", "persistent"]

START_MAY_TAKE = 120.0
JOINING_MAY_TAKE = 5.0
LEAVING_MAY_TAKE = 1.0


class EmbeddedServer:
    """A Redis or Valkey server in a directory, shared by all who name that directory.

    All calls block: make them from a thread in async code. A forked child is no user of the
    server and must start it for itself.

    Args:
        data_dir: Where its files lie; made if missing. The data outlives the server.
        life: A ``session`` ends with its last user, even if that one is killed. A
            ``persistent`` server runs until ``framework server stop``.
        binary: The program to run, instead of the one that ``find_binary`` finds.
        appendfsync: With ``everysec`` data survives any end of the server, but a power cut can
            cost about a second of it; ``always`` loses nothing acknowledged.
        tcp: Listen on 127.0.0.1 too, with a generated password.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        life: Life = "session",
        binary: Path | None = None,
        appendfsync: Fsync = "everysec",
        tcp: bool = False,
    ) -> None:
        self.directory = DataDirectory(data_dir)
        self.life: Life = life
        self.binary = binary
        self.appendfsync: Fsync = appendfsync
        self.tcp = tcp
        self.books: Books | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> ServerAddress:
        """Become a user of the server, start it if it does not run, and return its address.

        A second call returns the address too, of a new server if the first one died.

        Raises:
            ServerError: There is no binary, the directory is unfit, or the server does not
                start; its last lines are in the text.
        """
        try:
            with self.directory.explained():
                return self.join()
        except BaseException:
            # What went wrong first is what the caller must see.
            with suppress(ServerError):
                self.close()
            raise

    def join(self) -> ServerAddress:
        """Take the locks, and have a server running."""
        if self.books is not None and not (self.books.is_open and self.books.is_current()):
            self.close()
        self.directory.prepare()
        books = self.books = self.books or Books(self.directory)
        with books.starting(START_MAY_TAKE):
            if not books.users.wait_shared(JOINING_MAY_TAKE):
                raise ServerError(f"{books.users.path} is locked by a process that hangs")
            self.settle_life(books)
            launch(self.directory, books.data, self.spawn)
            return self.checked_address()

    def settle_life(self, books: Books) -> None:
        """Note a server to be kept; see that a reaper waits for the end of any other."""
        keep = self.directory.keep
        if self.life == "persistent":
            keep.touch(0o600)
        elif books.data.is_free():
            keep.unlink(missing_ok=True)
        if not keep.exists():
            spawn_reaper(self.directory)

    def spawn(self, claim: Lock) -> Detached:
        """Start the server's process, which inherits the claim on the data."""
        binary = find_binary(self.binary)
        if self.tcp:
            write_settings(self.directory.tcp)
        arguments = server_arguments(self.directory, appendfsync=self.appendfsync, tcp=self.tcp)
        return spawn_server(binary, arguments, self.directory, claim)

    def checked_address(self) -> ServerAddress:
        """Ask the server for its address, and check that it listens as was asked."""
        facts = ask_info(self.directory)
        if self.tcp and facts["tcp_port"] == "0":
            raise ServerError(
                f"the embedded server of {self.directory} runs without a TCP port. "
                f"End it first: framework server stop --dir {self.directory}"
            )
        return address_of(self.directory, facts)

    def keep(self) -> None:
        """Let the server outlive its users, until ``framework server stop``."""
        self.life = "persistent"
        if self.books is not None:
            self.start()

    def close(self) -> None:
        """Leave; the last user of a session waits until the server is gone, 5 s at most.

        A second call does nothing.

        Raises:
            ServerError: The server does not end.
        """
        books, self.books = self.books, None
        if books is None or not books.is_open:
            return
        try:
            # Who cannot wait for a start under way leaves the end to the reaper.
            with self.directory.explained():
                if books.start.wait_exclusive(LEAVING_MAY_TAKE):
                    self.leave(books)
        finally:
            books.close()
            reap()

    def leave(self, books: Books) -> None:
        """End a server that nobody else uses, unless it shall be kept."""
        if self.life == "persistent" and books.is_current():
            self.directory.keep.touch(0o600)
        if is_last(books.users) and not self.directory.keep.exists():
            end_server(self.directory, books.data)
