"""Imports every module of a package, and says what went wrong where if one fails."""

import importlib
import pkgutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType

from framework.app.absent import check_name, check_shadow, not_found
from framework.di.place import spot
from framework.errors import DeclarationError, DiscoveryError

LEFT_OUT = frozenset({"__main__", "tests", "conftest"})
MACHINERY = (__file__, importlib.__file__, "<frozen ")


@dataclass(frozen=True, slots=True)
class Found:
    """The modules of a package.

    Attributes:
        modules: In the order of import, the package first.
        names: The full names of those below the package, and of those left out.
        skipped: Folders that hold Python files, but no ``__init__.py``.
    """

    modules: tuple[ModuleType, ...]
    names: frozenset[str] = frozenset()
    skipped: tuple[str, ...] = ()


@dataclass(slots=True)
class Walk:
    """One walk through a package."""

    package: str
    exclude: tuple[str, ...]
    modules: list[ModuleType] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def visit(self, name: str) -> None:
        """Import a module, and all modules below it."""
        module = import_one(name, self.package)
        self.modules.append(module)
        path: Sequence[str] = list(getattr(module, "__path__", ()))
        children = sorted(info.name for info in pkgutil.iter_modules(path, f"{name}."))
        for child in children:
            if child.rpartition(".")[2] in LEFT_OUT:
                continue
            self.names.append(child)
            if child not in self.exclude:
                self.visit(child)
        self.skipped += unmarked_folders(path)


def import_all(package: str, *, exclude: Sequence[str] = ()) -> Found:
    """Import a package and all modules below it.

    Args:
        package: Its dotted name.
        exclude: Subpackages not to import; other words are left for `Selection` to judge.

    Raises:
        DiscoveryError: There is no such package, or a module fails to import.
    """
    check_name(package)
    make_importable()
    check_shadow(import_one(package, package))
    walk = Walk(package, tuple(within(package, name) for name in exclude))
    walk.visit(package)
    return Found(tuple(walk.modules), frozenset(walk.names), tuple(walk.skipped))


def within(package: str, name: str) -> str:
    """Return the full name of a subpackage that may be given relative to its package."""
    return name if is_within(name, package) else f"{package}.{name}"


def is_within(module: str, package: str) -> bool:
    """Tell whether a module is a package or below it."""
    return module == package or module.startswith(f"{package}.")


def make_importable() -> None:
    """Let packages in the working directory be imported, as ``python -m`` does."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()


def unmarked_folders(path: Sequence[str]) -> list[str]:
    """Return the folders that look like packages, but are not marked as such."""
    folders = [folder for entry in path for folder in sorted(Path(entry).glob("*/"))]
    return [
        str(folder)
        for folder in folders
        if folder.name.isidentifier()
        and folder.name not in LEFT_OUT
        and not (folder / "__init__.py").exists()
        and any(folder.glob("*.py"))
    ]


def import_one(name: str, package: str) -> ModuleType:
    """Import one module.

    Raises:
        DiscoveryError: It fails; the text says in which file, at which line and why.
        DeclarationError: A declaration in it is wrong.
    """
    try:
        return importlib.import_module(name)
    except DeclarationError as error:
        error.where = error.where or blame(error, name, package)[0]
        raise
    except ModuleNotFoundError as error:
        if name == package and is_within(package, error.name or "") and not any(frames_of(error)):
            raise not_found(package, error.name or package) from error
        raise failed(error, name, package) from error
    except (Exception, SystemExit) as error:
        raise failed(error, name, package) from error


def failed(error: BaseException, name: str, package: str) -> DiscoveryError:
    """Word that a module cannot be imported."""
    place, culprit = blame(error, name, package)
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return DiscoveryError(
        f"cannot import {culprit}: {type(error).__name__}: {text}",
        where=place,
        fix=remedy(error, package),
    )


def remedy(error: BaseException, package: str) -> str:
    """Say how to mend a module that cannot be imported."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        if is_within(error.name, package):
            return f"correct the import: there is no module {error.name}"
        return f"install what provides {error.name.partition('.')[0]}, or correct the import"
    if isinstance(error, ImportError) and "partially initialized" in str(error):
        return "two modules import each other: move what both need into a third"
    if isinstance(error, SystemExit):
        return 'importing it ends the process: move that below if __name__ == "__main__"'
    return "correct it there, or exclude the module"


def blame(error: BaseException, name: str, package: str) -> tuple[str, str]:
    """Return the place where an import failed, and the module that is there.

    That is the last line within the package, since what it calls elsewhere is not the
    user's to mend.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return spot(error.filename, error.lineno or 1), name
    frames = list(frames_of(error))
    own = [pair for pair in frames if is_within(module_of(pair[0]), package)]
    if not frames:
        return name, name
    frame, line = (own or frames)[-1]
    return spot(frame.f_code.co_filename, line), module_of(frame) if own else name


def frames_of(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames that led to an error, without those of the import machinery."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if not frame.f_code.co_filename.startswith(MACHINERY):
            yield frame, line


def module_of(frame: FrameType) -> str:
    """Return the name of the module that a frame runs in."""
    return str(frame.f_globals.get("__name__", ""))
