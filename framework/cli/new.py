"""``framework new``: a project that runs, copied from the template under a name of its own."""

import keyword
import os
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NoReturn

import typer

from framework.cli.lacking import advice

PACKAGE = Path(__file__).parents[1]
# In an installed wheel, and in a clone of the repository.
PLACES = (PACKAGE / "_template", PACKAGE.parent / "app_template")
OLD_NAME = "starter"
# Discovery leaves modules of these names out, or pytest takes them.
RESERVED = {"__main__", "conftest", "tests"}

Name = Annotated[str, typer.Argument(help="What the project and its package are called: shop")]


def new(name: Name) -> None:
    """Write a project that runs, with its tests, into a new folder of that name."""
    here = Path.cwd()
    if problem := unfit(name) or taken(name, here):
        give_up(problem)
    template = next((place for place in PLACES if (place / OLD_NAME).is_dir()), None)
    if template is None:
        give_up(f"this installation lacks {PLACES[0]}. Install its wheel again")
    try:
        count = write_project(name, here, template)
    except OSError as error:
        give_up(f"cannot write {here / name}: {error.strerror or error}")
    say(f"created {name}/ with {count} files. Next:\n")
    say(f"  cd {name}\n  framework dev {name}\n  python -m pytest")
    if told := advice():
        say(f"\n{told}")


def unfit(name: str) -> str:
    """Say why no project can have a name; empty if one can."""
    if not name.isidentifier():
        guess = re.sub(r"\W+", "_", name).strip("_").lower()
        hint = f": {guess}" if guess.isidentifier() and not keyword.iskeyword(guess) else ""
        return f'"{name}" cannot name a Python package. Use letters, digits and _{hint}'
    if keyword.iskeyword(name):
        return f'"{name}" is a word of the Python language. Choose another name'
    if name in RESERVED:
        return f'"{name}" has a meaning of its own for Python or pytest. Choose another name'
    if name in sys.stdlib_module_names:
        return f'"{name}" is a module of the standard library. Choose another name'
    return ""


def taken(name: str, here: Path) -> str:
    """Say what has a project's name already; empty if nothing has."""
    if os.path.lexists(here / name):
        return f"{here / name} is already there. Choose another name, or remove it"
    if found := find_spec(name):
        place = found.origin or ", ".join(found.submodule_search_locations or ())
        return f'"{name}" already names what is in {place}. Choose another name'
    return ""


def write_project(name: str, here: Path, template: Path) -> int:
    """Copy the template; return how many files it has.

    The folder appears whole or not at all.
    """
    files = list(template_files(template))
    with TemporaryDirectory(prefix=f".{name}-", dir=here) as draft:
        for file in files:
            path = Path(draft, name, renamed(str(file.relative_to(template)), name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(renamed(file.read_bytes().decode(), name).encode())
        Path(draft, name).rename(here / name)
    return len(files)


def template_files(template: Path) -> Iterator[Path]:
    """Yield the template's files, without what its ``.gitignore`` names.

    In a clone of the repository the tests and the demo leave such things there; in an installed
    wheel, pip leaves compiled files.
    """
    lines = (template / ".gitignore").read_text(encoding="utf-8").split()
    ignored = {line.strip("/") for line in lines}
    for path in sorted(template.rglob("*")):
        if path.is_file() and not ignored.intersection(path.relative_to(template).parts):
            yield path


def renamed(text: str, name: str) -> str:
    """Put a project's name wherever the template's own stands as a word."""
    return re.sub(rf"\b{OLD_NAME}\b", name, text)


def say(text: str) -> None:
    """Print as it is."""
    from rich.console import Console

    Console(soft_wrap=True, highlight=False).print(text, markup=False)


def give_up(problem: str) -> NoReturn:
    """Say what is wrong and exit with 1."""
    from framework.cli.endings import say as say_to_stderr

    say_to_stderr(f"error: {problem}")
    raise typer.Exit(1)
