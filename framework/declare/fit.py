"""Whether types written in two places agree, and what a generic base's variables stand for."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from framework.di.expression import UNIONS, bare


def fits(returned: object, declared: object) -> bool:
    """Tell whether a value of type ``returned`` may be called a ``declared``.

    In doubt it says yes: only a sure contradiction is worth an error.
    """
    returned, declared = bare(returned), bare(declared)
    if returned is Any or declared is Any or declared is object or returned == declared:
        return True
    if get_origin(returned) in UNIONS:
        return all(fits(arm, declared) for arm in get_args(returned))
    if get_origin(declared) in UNIONS:
        return any(fits(returned, arm) for arm in get_args(declared))
    have, want = (get_origin(one) or one for one in (returned, declared))
    if not (isinstance(have, type) and isinstance(want, type)):
        return True
    return is_below(have, want) or (have is int and want is float)


def is_below(have: type, want: type) -> bool:
    """Tell whether ``have`` is ``want`` or a subclass; yes for a protocol that cannot say."""
    try:
        return issubclass(have, want)
    except TypeError:
        return True


def variables_of(cls: type, attribute: str) -> Mapping[object, object]:
    """Return what type variables stand for where a class or its base defines ``attribute``."""
    known: dict[object, dict[object, object]] = {}
    for klass in cls.__mro__:
        own = known.get(klass, {})
        if attribute in vars(klass):
            return own
        for base in vars(klass).get("__orig_bases__", ()):
            origin, arguments = get_origin(base), get_args(base)
            variables = getattr(origin, "__parameters__", ())
            filled_in = (filled(argument, own) for argument in arguments)
            known.setdefault(origin, dict(zip(variables, filled_in, strict=False)))
    return {}


def filled(expression: Any, variables: Mapping[object, object]) -> object:  # noqa: ANN401  # any hint
    """Return an expression with its type variables replaced, as far as they are known."""
    if getattr(expression, "__parameters__", ()) and get_origin(expression) is not None:
        return expression[tuple(variables.get(one, one) for one in expression.__parameters__)]
    return variables.get(expression, expression) if is_variable(expression) else expression


def is_variable(expression: object) -> bool:
    """Tell whether an expression is a type variable, ``typing``'s or its backport's."""
    return type(expression).__name__ == "TypeVar"


def is_open(expression: object) -> bool:
    """Tell whether an expression leaves a type variable open."""
    return is_variable(expression) or (
        get_origin(expression) is not None and bool(getattr(expression, "__parameters__", ()))
    )
