"""What to say when there is no such package, or another one in its place."""

import difflib
import importlib
import importlib.machinery
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

from framework.errors import DiscoveryError


def check_name(package: str) -> None:
    """Refuse a path where a package's name belongs.

    Raises:
        DiscoveryError: It is no dotted name.
    """
    if all(part.isidentifier() for part in package.split(".")):
        return
    guess = package.removesuffix(".py").strip("./").replace("/", ".")
    known = guess and all(part.isidentifier() for part in guess.split("."))
    raise DiscoveryError(
        f'"{package}" is no package\'s name',
        fix=f"write {guess}" if known else "write it as in an import statement: shop.mail",
    )


def not_found(package: str, absent: str) -> DiscoveryError:
    """Word that there is no such package.

    Args:
        package: The package that was asked for.
        absent: The first part of it that is not there.
    """
    parent = absent.rpartition(".")[0]
    if parent and not hasattr(sys.modules[parent], "__path__"):
        return DiscoveryError(
            f"no package named {package}: {parent} is a single module", fix=f"write {parent}"
        )
    places = list(sys.modules[parent].__path__) if parent else own_places()
    names = [info.name for info in pkgutil.iter_modules(places)]
    near = difflib.get_close_matches(absent.rpartition(".")[2], names, n=1)
    looked = ", ".join(places) + ("" if parent else " and the installed packages")
    if near:
        fix = f"did you mean {f'{parent}.' if parent else ''}{near[0]}?"
    elif (Path.cwd() / "src" / absent).exists():
        fix = "it is in src: install the project, or run this in src"
    else:
        fix = "run this in the folder that holds it, or install it"
    name = package if package == absent else f"{absent} (for {package})"
    return DiscoveryError(f"no package named {name} (looked in {looked})", fix=fix)


def own_places() -> list[str]:
    """Return where Python looks for packages that are not installed."""
    installed = (sys.prefix, sys.base_prefix)
    places = [str(Path(entry or ".").absolute()) for entry in sys.path]
    return [one for one in dict.fromkeys(places) if not one.startswith(installed)]


def check_shadow(module: ModuleType) -> None:
    """Refuse a package that merely has the name of the one in the working directory.

    Raises:
        DiscoveryError: Another module of this name was imported, such as the standard library's.
    """
    top = module.__name__.partition(".")[0]
    here = importlib.machinery.PathFinder.find_spec(top, [str(Path.cwd())])
    imported = getattr(sys.modules[top], "__file__", None)
    if here is None or here.origin is None or imported is None:
        return
    if not Path(here.origin).samefile(imported):
        raise DiscoveryError(
            f"{top} is {imported}, not {here.origin}",
            fix="rename your package: another one of its name is imported first",
        )
