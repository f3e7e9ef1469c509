"""The marks that decorators leave on methods, and what every marked method must be."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from framework.di.expression import spell_name
from framework.di.place import caller, where
from framework.errors import ProcessorError


def add_mark(decorator: str, method: object, attribute: str, mark: object) -> None:
    """Note one more ``mark`` on a method; the first stands first, as written.

    Raises:
        ProcessorError: Not a function.
    """
    if not inspect.isfunction(method):
        raise ProcessorError(
            f"@{decorator} cannot mark a {type(method).__name__}",
            where=caller(up=2),
            fix="put it on a plain method of a processor class",
        )
    setattr(method, attribute, (mark, *vars(method).get(attribute, ())))


def marked_methods(
    cls: type, attribute: str
) -> Iterator[tuple[str, Callable[..., object], tuple[Any, ...]]]:
    """Yield name, function and marks of a class's marked methods, those of its bases first.

    Raises:
        ProcessorError: A static or class method carries a mark.
    """
    for name in dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base)):
        method = inspect.getattr_static(cls, name)
        function = getattr(method, "__func__", method)
        if inspect.isfunction(function) and (marks := vars(function).get(attribute)):
            yield name, plain_method(cls, name), marks


def plain_method(cls: type, name: str) -> Callable[..., object]:
    """Return the function of a method that takes ``self``.

    Raises:
        ProcessorError: It is something else.
    """
    method: object = inspect.getattr_static(cls, name)
    if not inspect.isfunction(method):
        raise ProcessorError(
            f"{spell_name(cls)}.{name} is no plain method",
            where=where(getattr(method, "__func__", cls)),
            fix=f"write async def {name}(self, …)",
        )
    return method


def is_async(function: Callable[..., object]) -> bool:
    """Tell whether a function, or the one that it wraps, is an ``async def``."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        inspect.unwrap(function)
    )


def refuse_generator(function: Callable[..., object], fix: str) -> None:
    """Refuse a function that yields.

    Raises:
        ProcessorError: It is a generator function.
    """
    target = inspect.unwrap(function)
    if inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target):
        raise ProcessorError(f"{spell_name(function)} yields", where=where(function), fix=fix)
