"""Look at the server of a data directory, and stop it, without becoming its user."""

import re
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from framework.errors import ServerError
from framework.server.address import address_of, ask_info
from framework.server.books import Books
from framework.server.directory import DataDirectory
from framework.server.ending import end_server

# Longer than a start may be silent.
STOPPING_MAY_WAIT = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """What is known of a data directory's server.

    Args:
        data_dir: The directory, resolved.
        running: Whether a server holds the data.
        in_use: Whether anybody uses it.
        kept: Whether it outlives its users.
        aof_bytes: How large the append-only file is.
        problem: Why a running server did not answer; the fields below are unknown then.
        pid: Its process.
        url: Its address; contains the password of one that listens on TCP.
        version: Its kind and version, such as ``valkey 9.1.2``.
        uptime: For how long it has run.
        memory_bytes: What its data takes in memory.
        keys: How many keys it holds, in all its databases.
    """

    data_dir: Path
    running: bool = False
    in_use: bool = False
    kept: bool = False
    aof_bytes: int = 0
    problem: str = ""
    pid: int | None = None
    url: str = ""
    version: str = ""
    uptime: timedelta = timedelta(0)
    memory_bytes: int = 0
    keys: int = 0


def status(data_dir: Path) -> ServerStatus:
    """Look at the server of a directory; neither is made or changed.

    Raises:
        ServerError: The directory cannot be read.
    """
    directory = DataDirectory(data_dir)
    seen = ServerStatus(data_dir=directory.path)
    with directory.explained():
        if not directory.is_used():
            return seen
        with closing(Books(directory)) as books:
            seen = replace(seen, aof_bytes=size_of(directory.data))
            if books.data.is_free():
                return seen
            seen = replace(
                seen,
                running=True,
                in_use=not books.users.try_exclusive(),
                kept=directory.keep.exists(),
                pid=books.data.read_pid(),
            )
    try:
        return described(seen, directory)
    except ServerError as error:
        return replace(seen, problem=str(error))


def described(seen: ServerStatus, directory: DataDirectory) -> ServerStatus:
    """Add what the server says of itself."""
    facts = ask_info(directory)
    address = address_of(directory, facts)
    return replace(
        seen,
        pid=address.pid,
        url=address.url,
        version=version_of(facts),
        uptime=timedelta(seconds=int(facts["uptime_in_seconds"])),
        memory_bytes=int(facts["used_memory"]),
        keys=sum(keys_in(value) for name, value in facts.items() if re.fullmatch(r"db\d+", name)),
    )


def version_of(facts: dict[str, str]) -> str:
    """Name a server; Valkey also gives the version of Redis that it speaks like."""
    valkey = facts.get("valkey_version")
    return f"valkey {valkey}" if valkey else f"redis {facts['redis_version']}"


def keys_in(keyspace: str) -> int:
    """Read the number of keys from ``keys=3,expires=0,…``."""
    fields = dict(pair.split("=", 1) for pair in keyspace.split(","))
    return int(fields["keys"])


def size_of(folder: Path) -> int:
    """Add up the files of a folder; the server may take some away meanwhile."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def stop(data_dir: Path) -> bool:
    """End the server of a directory, used or not, and wait until it is gone.

    Its data stays, and its users lose it. Tells whether there was one.

    Raises:
        ServerError: It does not end, or another process is starting it just now.
    """
    directory = DataDirectory(data_dir)
    with directory.explained():
        if not directory.is_used():
            return False
        with closing(Books(directory)) as books, books.starting(STOPPING_MAY_WAIT):
            directory.keep.unlink(missing_ok=True)
            return end_server(directory, books.data)
