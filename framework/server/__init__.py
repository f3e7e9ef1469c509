"""The embedded server: find the binary, keep the locks, start, stop."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framework.server.address import ServerAddress
    from framework.server.binary import find_binary
    from framework.server.control import ServerStatus, status, stop
    from framework.server.embedded import EmbeddedServer

__all__ = [
    "DEFAULT_DATA_DIR",
    "EmbeddedServer",
    "ServerAddress",
    "ServerStatus",
    "find_binary",
    "status",
    "stop",
]

DEFAULT_DATA_DIR = Path(".framework")
"""Where a project's server keeps its files, relative to the working directory."""

HOMES = {
    "EmbeddedServer": "embedded",
    "ServerAddress": "address",
    "ServerStatus": "control",
    "find_binary": "binary",
    "status": "control",
    "stop": "control",
}


# Lazy, since the reaper, a process of its own, loads this package too and needs none of them.
def __getattr__(name: str) -> object:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    globals()[name] = found
    return found
