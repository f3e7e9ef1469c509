"""Type expressions as keys: how to compare them, unwrap them and spell them in errors."""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

UNIONS = (Union, types.UnionType)
PLAIN = ((None, "None"), (types.NoneType, "None"), (Any, "Any"), (..., "..."))


def bare(expression: object) -> object:
    """Return ``expression`` without aliases (``type X = …``) and ``Annotated``."""
    while True:
        wrapped = inner(expression)
        if wrapped is None or get_origin(expression) in UNIONS:
            return expression
        expression = wrapped


def origin_of(expression: object) -> object:
    """Return the class behind an expression: ``Producer`` of ``Annotated[Producer[T], …]``."""
    stripped = bare(expression)
    return get_origin(stripped) or stripped


def candidates(expression: object) -> Iterator[object]:
    """Yield what may satisfy ``expression``, best first.

    The whole comes before what an alias, ``Annotated`` or ``… | None`` wraps. What cannot
    be a key (unhashable metadata) is left out.
    """
    current: object | None = expression
    while current is not None:
        if is_key(current):
            yield current
        current = inner(current)


def inner(expression: object) -> object | None:
    """Return what ``expression`` wraps by one layer; None if it wraps nothing."""
    # By name: ``type X = …`` makes typing's, which is not always typing_extensions'.
    if type(expression).__name__ == "TypeAliasType":
        value: object = getattr(expression, "__value__", None)
        return value
    if get_origin(expression) is Annotated:
        return get_args(expression)[0]  # type: ignore[no-any-return]  # the same
    if get_origin(expression) in UNIONS:
        arms = [arm for arm in get_args(expression) if arm is not types.NoneType]
        return arms[0] if len(arms) == 1 else None
    return None


def is_key(expression: object) -> bool:
    """Tell whether ``expression`` can be looked up."""
    try:
        hash(expression)
    except TypeError:
        return False
    return True


def spell(expression: object, *, full: bool = False) -> str:
    """Write an expression as in source: ``Producer[Reminder]``; ``full`` names modules too."""
    origin = get_origin(expression)
    if origin is None:
        return spell_name(expression, full=full)
    if origin in UNIONS:
        return " | ".join(spell(arm, full=full) for arm in get_args(expression))
    if origin is Annotated:
        wrapped, *metadata = get_args(expression)
        return f"Annotated[{', '.join([spell(wrapped, full=full), *map(repr, metadata)])}]"
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, get_args(expression)))}]"
    return f"{spell_name(origin, full=full)}[{spell_all(written(expression), full=full)}]"


def written(expression: object) -> tuple[object, ...]:
    """Return a generic's arguments without those at the end that equal their defaults."""
    arguments = get_args(expression)
    variables = getattr(get_origin(expression), "__parameters__", ())
    if len(arguments) == len(variables):
        while len(arguments) > 1:
            if getattr(variables[len(arguments) - 1], "__default__", ...) is not arguments[-1]:
                break
            arguments = arguments[:-1]
    return arguments


def spell_all(expressions: tuple[object, ...], *, full: bool) -> str:
    """Write several expressions, with commas."""
    return ", ".join(
        f"[{spell_all(tuple(one), full=full)}]" if isinstance(one, list) else spell(one, full=full)
        for one in expressions
    )


def spell_name(thing: object, *, full: bool = False) -> str:
    """Write the name of a class, function or alias, as its module's readers know it."""
    for plain, text in PLAIN:
        if thing is plain:
            return text
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    if not isinstance(name, str):
        return repr(thing)
    short = name.rpartition("<locals>.")[2]
    module = getattr(thing, "__module__", "builtins")
    return f"{module}.{short}" if full and module != "builtins" else short
