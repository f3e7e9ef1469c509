"""Plugins as they are installed: a module, and a dist-info beside it, in a folder of its own."""

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

Install = Callable[..., Path]


def write_plugin(folder: Path, name: str, modules: Mapping[str, str], *, value: str = "") -> Path:
    """Write a plugin into a folder that is, or will be, on ``sys.path``.

    Args:
        name: Of the plugin; its distribution is ``framework-NAME`` 1.2.
        modules: The sources by file name; the first holds ``plugin``.
        value: What the entry point leads to, if that is something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file, source in modules.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(dedent(source))
    first = next(iter(modules), "").removesuffix(".py").replace("/", ".")
    info = folder / f"framework_{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: framework-{name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        f"[framework.plugins]\n{name} = {value or f'{first}:plugin'}\n"
    )
    return folder
