"""What a callable asks for: the sole reader of type hints.

Whatever cannot be read is refused here, with the place, the parameter and the fix, so that
no one else meets a bare ``NameError``.
"""

import __future__

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal, get_type_hints

from framework.di.expression import spell
from framework.di.place import function_of, place_of, title_of
from framework.errors import DeclarationError, DependencyError

Scope = Literal["app", "job"]
Kind = Literal["positional", "either", "keyword"]

REQUIRED = inspect.Parameter.empty
KINDS: dict[object, Kind] = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "either",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a callable.

    Attributes:
        name: As in the source.
        wants: Its resolved annotation, ``Annotated`` kept.
        default: What it takes if nothing is injected; `REQUIRED` if it has no default.
        kind: How it may be passed.
    """

    name: str
    wants: object = field(hash=False)
    default: object = field(default=REQUIRED, hash=False)
    kind: Kind = "either"

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Request:
    """What one callable asks the container for.

    Attributes:
        parameters: The parameters to fill.
        asked_by: The callable's name for errors, such as ``Mail.__init__``.
        where: Its place for errors, such as ``shop/mail.py:14``.
        scope: How long what it makes lives: ``app``, or one job.
        seeds: Type expressions whose values its caller brings along on each run.
    """

    parameters: tuple[Parameter, ...]
    asked_by: str = ""
    where: str = ""
    scope: Scope = "app"
    seeds: frozenset[object] = frozenset()

    @classmethod
    def of(
        cls, call: Callable[..., object], *, scope: Scope = "app", seeds: Iterable[object] = ()
    ) -> "Request":
        """Return what a function asks for, or a class's constructor."""
        return cls(signature_of(call), title_of(call), place_of(call), scope, frozenset(seeds))

    def label(self, parameter: Parameter) -> str:
        """Return ``Mail.__init__(smtp: Smtp)``."""
        if not parameter.name:
            return self.asked_by or "the container"
        return f"{self.asked_by}({parameter.name}: {spell(parameter.wants)})"


def signature_of(
    call: Callable[..., object],
    *,
    skip: int = 0,
    error: type[DeclarationError] = DependencyError,
    lenient: bool = False,
) -> tuple[Parameter, ...]:
    """Return the parameters of a function, or of a class's constructor without ``self``.

    Args:
        call: The function or class.
        skip: Leave out so many first parameters, such as a method's ``self``.
        error: The class of the error to raise.
        lenient: A parameter without annotation wants ``object`` instead of being refused.

    Raises:
        DeclarationError: An annotation is missing or cannot be resolved, or there are
            ``*args`` or ``**kwargs``.
    """
    function = function_of(call)
    if function is None:
        return ()
    try:
        shown = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as problem:
        raise error(
            f"{title_of(call)} has no signature that can be read",
            where=place_of(call),
            fix="write a @provider function that calls it",
        ) from problem
    hints = hints_of(call, function, error)
    first = skip + isinstance(call, type)
    return tuple(
        parameter_of(call, one, hints, error, lenient=lenient) for one in list(shown)[first:]
    )


def returns_of(
    call: Callable[..., object], *, error: type[DeclarationError] = DependencyError
) -> object:
    """Return the resolved return annotation; `REQUIRED` if there is none."""
    function = function_of(call)
    return REQUIRED if function is None else hints_of(call, function, error).get("return", REQUIRED)


def parameter_of(
    call: object,
    shown: inspect.Parameter,
    hints: dict[str, Any],
    error: type[DeclarationError],
    *,
    lenient: bool,
) -> Parameter:
    """Return one parameter, or refuse it."""
    title, name = title_of(call), shown.name
    if shown.kind not in KINDS:
        stars = "*" if shown.kind is inspect.Parameter.VAR_POSITIONAL else "**"
        raise error(
            f"{title}({stars}{name}): nothing can be injected into {stars}{name}",
            where=place_of(call),
            fix="name each parameter with its type, or write a @provider function that calls it",
        )
    if name not in hints and not lenient:
        raise error(
            f"{title}({name}): {name} has no annotation",
            where=place_of(call),
            fix=f"write its type, as in {name}: Smtp; what is injected is found by it",
        )
    return Parameter(name, hints.get(name, object), shown.default, KINDS[shown.kind])


def hints_of(
    call: object, function: Callable[..., object], error: type[DeclarationError]
) -> dict[str, Any]:
    """Resolve all annotations of a function, or raise with the one that fails."""
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as problem:
        name, annotation = culprit(function)
        shown = f"({name}: {annotation})" if name != "return" else f"() -> {annotation}"
        raise error(
            f"{title_of(call)}{shown}: {complaint(problem)}",
            where=place_of(call),
            fix=remedy(function, problem),
        ) from problem


def culprit(function: Callable[..., object]) -> tuple[str, object]:
    """Return the first annotation that cannot be resolved, with its parameter's name."""
    target = inspect.unwrap(function)
    names = getattr(target, "__globals__", {})
    for name, annotation in target.__annotations__.items():
        try:
            get_type_hints(SimpleNamespace(__annotations__={name: annotation}), names)
        except (NameError, AttributeError, TypeError, SyntaxError):
            return name, annotation if isinstance(annotation, str) else spell(annotation)
    return "…", "…"


def complaint(problem: Exception) -> str:
    """Say why an annotation cannot be resolved."""
    if isinstance(problem, NameError):
        return f"{problem.name} is not defined when the annotation is read"
    return f"the annotation cannot be read ({type(problem).__name__}: {problem})"


def remedy(function: Callable[..., object], problem: Exception) -> str:
    """Say how to write an annotation that can be resolved."""
    if not isinstance(problem, NameError):
        return "write a type that exists when the module has been imported"
    code = getattr(inspect.unwrap(function), "__code__", None)
    lazy = code is not None and code.co_flags & __future__.annotations.compiler_flag
    also = ", and remove `from __future__ import annotations`" if lazy else ""
    return f"define or import {problem.name} at module level, not under `if TYPE_CHECKING:`{also}"
