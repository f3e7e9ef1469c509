"""Imports a package and collects what is declared in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, TypeVar

from framework.app.modules import Found, import_all
from framework.app.selection import Selection
from framework.declare.mark import mark_of
from framework.declare.route import RouteSpec
from framework.declare.schedule import Schedule, check_unmarked
from framework.declare.spec import ProcessorSpec, resolve
from framework.di.provider import ProviderSpec, provider_of
from framework.errors import DeclarationError

Value = TypeVar("Value")

CONTAINERS = frozenset({list, tuple, set, frozenset, dict})


@dataclass(frozen=True, slots=True)
class Declarations:
    """What a package declares.

    Attributes:
        package: Its name.
        processors: All processors, those that this process does not run too: they make routes.
        selected: The processors to run; all, unless ``only`` or ``exclude`` says else.
        providers: All providers.
        routes: All routes to queues served elsewhere.
        schedules: All jobs at set times; those of ``@cron`` stand on the processors.
        is_whole: Whether this is all that the package declares: all was imported.
        modules: The modules searched, in the order of import.
        skipped: Folders with Python files that are no packages, since ``__init__.py`` is missing.
    """

    package: str
    processors: tuple[ProcessorSpec, ...] = ()
    selected: tuple[ProcessorSpec, ...] = ()
    providers: tuple[ProviderSpec, ...] = ()
    routes: tuple[RouteSpec, ...] = ()
    schedules: tuple[Schedule[Any], ...] = ()
    is_whole: bool = True
    modules: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def discover(
    package: str, *, only: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Declarations:
    """Import every module of a package and collect what is defined there.

    Modules named ``__main__``, ``tests`` and ``conftest`` are left out. The working directory
    becomes importable, as with ``python -m``.

    Args:
        package: The package's name, dotted if need be; a single module will do.
        only: Run the processors of these subpackages or queues alone. Subpackages are named
            relative to the package, and a word that is both means the subpackage. All others
            are imported too, since their payloads' routes and their providers are needed.
        exclude: Do not run these queues, and do not even import these subpackages.

    Raises:
        DiscoveryError: The package, or one of these words, is not found, or one of its modules
            fails to import.
        DeclarationError: A processor of the wrong shape, or two on one queue.
    """
    found = import_all(package, exclude=exclude)
    return collect(found, Selection(package, only, exclude, found.names))


def collect(found: Found, selection: Selection) -> Declarations:
    """Collect what is defined in modules that are imported.

    Raises:
        DiscoveryError, DeclarationError: As `discover`.
    """
    processors, providers = [], []
    for module in found.modules:
        for thing in defined_in(module):
            if mark_of(thing) is not None:
                processors.append(resolve(thing))
            else:
                check_unmarked(thing)
            if (spec := provider_of(thing)) is not None:
                providers.append(spec)
    selected = selection.of(processors)
    check_queues(processors)
    return Declarations(
        package=selection.package,
        processors=tuple(processors),
        selected=selected,
        providers=tuple(providers),
        routes=values_in(found.modules, RouteSpec),
        schedules=values_in(found.modules, Schedule),
        is_whole=selection.is_whole,
        modules=tuple(module.__name__ for module in found.modules),
        skipped=found.skipped,
    )


def defined_in(module: ModuleType) -> list[Callable[..., object]]:
    """Return the classes and functions that a module defines, each once, in their order."""
    # The real type is asked, not `isinstance`: modules hold proxies that answer for others.
    things = (one for one in vars(module).values() if issubclass(type(one), (type, FunctionType)))
    return list({id(one): one for one in things if one.__module__ == module.__name__}.values())


def values_in(modules: Sequence[ModuleType], kind: type[Value]) -> tuple[Value, ...]:
    """Return the values of a kind in these modules; one that is imported elsewhere counts once.

    Those inside of lists, tuples, sets and dicts are found too.
    """
    found: dict[int, Value] = {}
    opened: set[int] = set()
    pending = [
        value
        for module in reversed(modules)
        for name, value in reversed(vars(module).items())
        if not name.startswith("__")
    ]
    while pending:
        value = pending.pop()
        # The real type is asked here too.
        if type(value) is kind:
            found.setdefault(id(value), value)
        elif type(value) in CONTAINERS and id(value) not in opened:
            opened.add(id(value))
            pending += reversed(list(value.values() if type(value) is dict else value))
    return tuple(found.values())


def check_queues(processors: Sequence[ProcessorSpec]) -> None:
    """Refuse two processors on one queue: each would get a share of the other's jobs.

    Raises:
        DeclarationError: It names both.
    """
    taken: dict[str, ProcessorSpec] = {}
    for processor in processors:
        first = taken.setdefault(processor.queue, processor)
        if first is not processor:
            raise DeclarationError(
                f'queue "{processor.queue}" has two processors: {first.title} ({first.where}) '
                f"and {processor.title} ({processor.where})",
                where=processor.where,
                fix='put both on one class, as methods with @handles("name"), or give one '
                "another queue",
            )
