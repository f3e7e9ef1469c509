"""Where a running server is reached."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from framework.errors import ServerError
from framework.server.directory import DataDirectory
from framework.server.resp import NoAnswerError, ReplyError, info
from framework.server.tcp import password_of, url_of


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a running server is reached, and which process it is.

    Args:
        url: What clients connect to: ``unix:///…/server.sock``, or
            ``redis://:password@127.0.0.1:port/0`` of one that listens on TCP.
        socket: Its socket file, also there beside TCP.
        pid: Its process.
    """

    url: str = field(repr=False)
    socket: Path
    pid: int


def ask_info(directory: DataDirectory) -> dict[str, str]:
    """Ask the server of a directory what it says of itself.

    Raises:
        ServerError: It does not answer, or not to us.
    """
    try:
        return info(directory.socket, password=password_of(directory.tcp))
    except (NoAnswerError, ReplyError) as error:
        raise ServerError(f"the embedded server of {directory} does not answer: {error}") from error


def address_of(directory: DataDirectory, facts: dict[str, str]) -> ServerAddress:
    """Build the address from what the server says of itself."""
    port = facts.get("tcp_port", "0")
    tcp = url_of(port, password_of(directory.tcp))
    unix = f"unix://{quote(str(directory.socket))}"
    return ServerAddress(
        url=unix if port == "0" else tcp,
        socket=directory.socket,
        pid=int(facts["process_id"]),
    )
