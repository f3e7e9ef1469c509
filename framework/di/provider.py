"""``@provider``: notes that a function or class makes what others ask for."""

import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, overload

from framework.di.expression import bare, spell, spell_name
from framework.di.place import caller, is_definition, where
from framework.di.signature import REQUIRED, Request, Scope, returns_of
from framework.errors import DependencyError

ATTRIBUTE = "__framework_provider__"
SYNC_YIELDS = (Iterator, Generator, Iterable)
ASYNC_YIELDS = (AsyncIterator, AsyncGenerator, AsyncIterable)

Makes = Literal["value", "coroutine", "generator", "async generator"]
Target = TypeVar("Target", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A function or class that provides something, as declared.

    Attributes:
        target: The function or class.
        scope: ``app``: made once per process. ``job``: made once per run, closed after it.
    """

    target: Callable[..., object]
    scope: Scope = "app"

    @property
    def where(self) -> str:
        """Where it is written."""
        return where(self.target)


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """A provider whose hints are resolved.

    Attributes:
        spec: As declared.
        provides: The type expression that it satisfies.
        request: What it asks for itself.
        makes: How its target hands over what it provides.
    """

    spec: ProviderSpec
    provides: object
    request: Request
    makes: Makes


@overload
def provider(target: Target, /) -> Target: ...
@overload
def provider(*, scope: Scope = "app") -> Callable[[Target], Target]: ...
def provider(
    target: Target | None = None, /, *, scope: Scope = "app"
) -> Target | Callable[[Target], Target]:
    """Declare that a function or class provides what its return annotation says.

    A class provides itself; its constructor is injected. A generator provides what it
    yields and is closed when its scope ends: with ``scope="job"`` it is thrown the job's
    error, so that a transaction rolls back, or else runs on before the job completes. A plain
    function or generator runs in the event loop and must not block.

    Args:
        target: The function, generator function or class.
        scope: ``app``: one per process, made when first needed. ``job``: one per run.

    Raises:
        DependencyError: Not a function or class, or an unknown scope.
    """
    place = caller()

    def note(target: Target) -> Target:
        if scope not in {"app", "job"}:
            raise DependencyError(
                f"{spell_name(target)}: unknown scope {scope!r}",
                where=where(target),
                fix='write scope="app" or scope="job"',
            )
        if not is_definition(target):
            raise DependencyError(
                f"@provider cannot mark a {type(target).__name__}",
                where=place,
                fix="put it on a function, a generator function or a class",
            )
        setattr(target, ATTRIBUTE, scope)
        return target

    return note if target is None else note(target)


def provider_of(thing: object) -> ProviderSpec | None:
    """Return what ``@provider`` noted on ``thing`` itself; a subclass inherits no mark."""
    if not (inspect.isfunction(thing) or inspect.isclass(thing)):
        return None
    scope: Scope | None = vars(thing).get(ATTRIBUTE)
    return None if scope is None else ProviderSpec(thing, scope)


def resolve_provider(spec: ProviderSpec) -> Provider:
    """Read a provider's hints.

    Raises:
        DependencyError: It does not say what it provides, or what it asks for.
    """
    makes = makes_of(spec.target)
    request = Request.of(spec.target, scope=spec.scope)
    return Provider(spec, provides_of(spec, makes), request, makes)


def makes_of(target: Callable[..., object]) -> Makes:
    """Tell how a target hands over what it provides."""
    if inspect.isasyncgenfunction(target):
        return "async generator"
    if inspect.isgeneratorfunction(target):
        return "generator"
    return "coroutine" if inspect.iscoroutinefunction(target) else "value"


def provides_of(spec: ProviderSpec, makes: Makes) -> object:
    """Return the type expression that a provider satisfies."""
    target = spec.target
    if isinstance(target, type):
        return target
    name = spell_name(target)
    returns = returns_of(target)
    if returns is REQUIRED:
        raise DependencyError(
            f"{name} has no return annotation",
            where=spec.where,
            fix=f"write def {name}(…) -> Smtp, say; what it returns is what it provides",
        )
    if makes_of(inspect.unwrap(target)) != makes:
        raise DependencyError(
            f"{name} is wrapped by another decorator that hides its yield",
            where=spec.where,
            fix="put @provider on the generator function itself, without @contextmanager",
        )
    provided = yielded(spec, returns, makes)
    if any(provided is nothing for nothing in (None, type(None), Any, object)):
        raise DependencyError(
            f"{name} -> {spell(returns)} provides nothing that can be asked for",
            where=spec.where,
            fix="annotate the type that it makes",
        )
    return provided


def yielded(spec: ProviderSpec, returns: object, makes: Makes) -> object:
    """Return what a generator's annotation says it yields; another function's as it is."""
    if makes not in {"generator", "async generator"}:
        return returns
    allowed = SYNC_YIELDS if makes == "generator" else ASYNC_YIELDS
    arguments: tuple[object, ...] = get_args(bare(returns))
    if get_origin(bare(returns)) not in allowed or not arguments:
        raise DependencyError(
            f"{spell_name(spec.target)} is a generator, but annotated {spell(returns)}",
            where=spec.where,
            fix=f"write -> {allowed[0].__name__}[{spell(returns)}]",
        )
    return arguments[0]
