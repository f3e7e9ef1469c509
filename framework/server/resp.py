"""The little of Redis's protocol that a launcher needs, over a plain blocking socket.

A launcher must not load a client library: it runs in processes that never use one.
"""

import socket
from pathlib import Path
from typing import BinaryIO, Literal

State = Literal["ready", "loading", "silent"]


class NoAnswerError(Exception):
    """Nobody listens, or the answer did not come in time."""


class ReplyError(Exception):
    """The server answered with an error."""

    @property
    def code(self) -> str:
        """The error's first word, such as ``LOADING``."""
        return str(self).partition(" ")[0]


def ask(address: Path, *words: str, password: str = "", within: float = 1.0) -> str:
    """Send one command over the socket file and return its reply as text.

    Raises:
        NoAnswerError: Nobody listens there, or no reply came within ``within`` seconds.
        ReplyError: The reply is an error.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(within)
            link.connect(str(address))
            with link.makefile("rb") as replies:
                if password:
                    log_in(link, replies, password)
                link.sendall(pack(*words))
                return read_reply(replies)
    except OSError as error:
        raise NoAnswerError(f"{address}: {error}") from error


def log_in(link: socket.socket, replies: BinaryIO, password: str) -> None:
    """Send the password; a server that asks for none says so, which is no error here."""
    link.sendall(pack("AUTH", password))
    try:
        read_reply(replies)
    except ReplyError as error:
        if error.code == "WRONGPASS":
            raise


def state_of(address: Path, *, password: str = "") -> State:
    """Tell how the server on a socket file answers: any reply but LOADING is ready."""
    try:
        ask(address, "PING", password=password)
    except NoAnswerError:
        return "silent"
    except ReplyError as error:
        return "loading" if error.code == "LOADING" else "ready"
    return "ready"


def info(address: Path, *, password: str = "") -> dict[str, str]:
    """Read INFO as one flat mapping of its fields."""
    lines = ask(address, "INFO", password=password).splitlines()
    pairs = (line.partition(":") for line in lines if not line.startswith("#"))
    return {name: value for name, colon, value in pairs if colon}


def pack(*words: str) -> bytes:
    """Write a command as an array of bulk strings."""
    bulks = (word.encode() for word in words)
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(b), b) for b in bulks)


def read_reply(replies: BinaryIO) -> str:
    """Read a simple string, an error, an integer or a bulk string."""
    line = replies.readline().removesuffix(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"-":
        raise ReplyError(rest.decode())
    if kind == b"$":
        size = int(rest)
        body = replies.read(size + 2)
        if len(body) == size + 2:
            return body[:size].decode(errors="replace")
    elif kind in {b"+", b":"}:
        return rest.decode()
    raise NoAnswerError(f"the server hung up, or sent {line!r}")
