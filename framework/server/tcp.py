"""A TCP port on request: which one, and the password that it takes."""

import os
import socket
from pathlib import Path

HOST = "127.0.0.1"
PASSWORD_BYTES = 24


def read_settings(conf: Path) -> dict[str, str]:
    """Read the file that the server reads too; none gives nothing."""
    try:
        lines = conf.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}


def password_of(conf: Path) -> str:
    """Return the password kept beside the server; empty when it has none."""
    return read_settings(conf).get("requirepass", "")


def write_settings(conf: Path) -> None:
    """Settle port and password, the last ones again where that is possible.

    A file, since arguments are shown to every user of the machine.
    """
    last = read_settings(conf)
    port = free_port(int(last.get("port", "0")))
    password = last.get("requirepass") or os.urandom(PASSWORD_BYTES).hex()
    fresh = conf.with_suffix(".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(f"bind {HOST}\nport {port}\nrequirepass {password}\n")
    fresh.replace(conf)


def free_port(wanted: int) -> int:
    """Return a port that nobody listens on, the wanted one if it can be."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def url_of(port: str, password: str) -> str:
    """Word the address for clients."""
    return f"redis://:{password}@{HOST}:{port}/0"
