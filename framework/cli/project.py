"""What a project says of itself in ``pyproject.toml``, table ``[tool.framework]``."""

import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from framework.errors import SettingsError

DEFAULT_PORT = 3000


@dataclass(frozen=True, slots=True)
class Project:
    """What ``framework dev`` needs to know.

    Attributes:
        asgi: The ASGI app, ``module:attribute``; None if there is none.
        port: Where it listens unless told otherwise.
        hints: Lines to show once it listens; ``{url}`` stands for its address.
    """

    asgi: str | None = None
    port: int = DEFAULT_PORT
    hints: tuple[str, ...] = ()


def read_project(package: str, folder: Path) -> Project:
    """Read a project's table; ``PACKAGE.web:api`` is the ASGI app where nothing is said.

    Raises:
        SettingsError: The file or the table cannot be read.
    """
    path = folder / "pyproject.toml"
    table = {}
    if path.is_file():
        try:
            table = tomllib.loads(path.read_text()).get("tool", {}).get("framework", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} cannot be read: {error}") from error
    asgi, port, hints = table.get("asgi"), table.get("port", DEFAULT_PORT), table.get("try", [])
    if not (asgi is None or isinstance(asgi, str)) or not isinstance(port, int):
        raise SettingsError(f'{path}: [tool.framework] takes asgi = "module:app" and port = 3000')
    if asgi is None and has_module(f"{package}.web"):
        asgi = f"{package}.web:api"
    return Project(asgi, port, tuple(map(str, hints)))


def has_module(name: str) -> bool:
    """Tell whether there is such a module; a package that cannot be imported has none yet."""
    try:
        return find_spec(name) is not None
    except Exception:
        return False
