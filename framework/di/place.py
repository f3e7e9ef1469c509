"""Where things are written, and what they are called, in the words of errors."""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType

from framework.di.expression import spell_name


def where(thing: object) -> str:
    """Return where a function or class is written, as ``shop/mail.py:14``.

    Paths below the working directory are relative. What has no source is named instead, as
    ``shop.mail.Mail``.
    """
    target = inspect.unwrap(thing) if callable(thing) else thing
    code = getattr(target, "__code__", None)
    if isinstance(code, CodeType) and not code.co_filename.startswith("<"):
        return spot(code.co_filename, code.co_firstlineno)
    if isinstance(target, type):
        return where_class(target)
    return spell_name(target, full=True)


def where_class(cls: type) -> str:
    """Return where a class is written."""
    line: object = vars(cls).get("__firstlineno__")  # Python 3.13 and later
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    try:
        if not isinstance(line, int):
            line = inspect.getsourcelines(cls)[1]
            file = inspect.getsourcefile(cls)
    except (OSError, TypeError):
        return spell_name(cls, full=True)
    return spot(file, line) if file else spell_name(cls, full=True)


def caller(*, up: int = 1) -> str:
    """Return where the function that calls this one was called, or one ``up`` from there."""
    frame = inspect.currentframe()
    for _ in range(1 + up):
        frame = frame.f_back if frame else None
    return spot(frame.f_code.co_filename, frame.f_lineno) if frame else ""


def spot(filename: str, line: int) -> str:
    """Return ``file:line``, relative to the working directory if below it."""
    path = Path(filename)
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return f"{path.as_posix()}:{line}"


def title_of(call: object) -> str:
    """Return the name of a function for errors; of a class, its constructor's."""
    return f"{spell_name(call)}.__init__" if isinstance(call, type) else spell_name(call)


def is_definition(thing: object) -> bool:
    """Tell whether a decorator was put on a function or a class."""
    return inspect.isfunction(thing) or inspect.isclass(thing)


def place_of(call: object) -> str:
    """Return where what is called is written; a generated constructor is where its class is."""
    function = function_of(call) if isinstance(call, type) else None
    code = getattr(function, "__code__", None)
    own = isinstance(code, CodeType) and not code.co_filename.startswith("<")
    return where(function if own else call)


def function_of(call: object) -> Callable[..., object] | None:
    """Return the function behind ``call``: a class's constructor; None if it has none."""
    if not isinstance(call, type):
        return call if callable(call) else None
    for base in call.__mro__:
        function = vars(base).get("__init__")
        # A protocol's own constructor gives way to the next one; so does ``typing`` at run time.
        if function is not None and getattr(function, "__name__", "") != "_no_init_or_replace_init":
            return None if base is object else function
    return None
