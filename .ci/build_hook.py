"""Puts the project template into the wheel, and refuses to build what git would not keep.

`make demo` and the tests run in the template, so a `.env` or server data may lie there.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from pathspec import GitIgnoreSpec

TEMPLATE = "app_template"
INSIDE = "framework/_template"

# Made anew by every run of Python and its tools: left out in silence.
CACHES = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


class IgnoredFilesError(Exception):
    """The template holds what must not be published."""


class TemplateHook(BuildHookInterface[Any]):
    """Runs at the start of each build, whether of a wheel or a source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Check the template, and add it to a wheel; an editable install reads the original."""
        if version == "editable":
            return
        root = Path(self.root)
        files = template_files(root)
        refuse_ignored(root, files)
        if self.target_name == "wheel":
            template = root / TEMPLATE
            build_data["force_include"] |= {
                str(file): f"{INSIDE}/{file.relative_to(template).as_posix()}" for file in files
            }


def template_files(root: Path) -> list[Path]:
    """Return the files of the template, without caches."""
    template = root / TEMPLATE
    files = (path for path in sorted(template.rglob("*")) if not path.is_dir())
    return [file for file in files if not CACHES.intersection(file.relative_to(template).parts)]


def refuse_ignored(root: Path, files: list[Path]) -> None:
    """Refuse files that git ignores.

    Raises:
        IgnoredFilesError: It names them, or the folders that hold them.
    """
    rules = [(folder, rules_of(folder)) for folder in (root, root / TEMPLATE)]
    found = dict.fromkeys(
        ignored.relative_to(root).as_posix()
        for file in files
        for folder, spec in rules
        if (ignored := ignored_part(file, folder, spec)) is not None
    )
    if found:
        raise IgnoredFilesError(
            f"{TEMPLATE}/ would go into the wheel, but holds what git ignores: "
            f"{', '.join(found)}. Remove it and build again"
        )


def rules_of(folder: Path) -> GitIgnoreSpec:
    """Read a folder's ``.gitignore``."""
    lines = (folder / ".gitignore").read_text(encoding="utf-8").splitlines()
    return GitIgnoreSpec.from_lines(lines)


def ignored_part(file: Path, folder: Path, spec: GitIgnoreSpec) -> Path | None:
    """Return the outermost folder of a file that the rules ignore, else the file; else None."""
    inside = [parent for parent in file.parents if parent.is_relative_to(folder)]
    for part in reversed(inside[: inside.index(folder)]):
        if spec.match_file(f"{part.relative_to(folder).as_posix()}/"):
            return part
    return file if spec.match_file(file.relative_to(folder).as_posix()) else None
