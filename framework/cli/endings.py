"""How a command ends: which error gives which exit code, and one clear text for each."""

from collections.abc import Iterator
from contextlib import contextmanager

from framework.errors import (
    DeclarationError,
    FormatError,
    FrameworkError,
    RedisUnavailableError,
    ServerError,
    SettingsError,
    StartError,
    StuckError,
)

# From sysexits.h, as supervisors know them.
UNAVAILABLE = 69
SOFTWARE = 70
TRY_ANEW = 75
CONFIG = 78

CODES: tuple[tuple[type[FrameworkError], int], ...] = (
    (RedisUnavailableError, UNAVAILABLE),
    (ServerError, UNAVAILABLE),
    (StartError, UNAVAILABLE),
    (StuckError, TRY_ANEW),
    (DeclarationError, CONFIG),
    (SettingsError, CONFIG),
    (FormatError, CONFIG),
)


def say(text: str) -> None:
    """Print a line for people on stderr, as it is."""
    from rich.console import Console

    Console(stderr=True, soft_wrap=True, highlight=False).print(text, markup=False)


def code_of(error: FrameworkError) -> int:
    """Return the exit code of an error."""
    return next((code for kind, code in CODES if isinstance(error, kind)), SOFTWARE)


def known_errors(error: BaseException) -> Iterator[FrameworkError]:
    """Return the framework's errors in an error, which may be a group; none if others are in it."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from known_errors(inner)
    elif isinstance(error, FrameworkError):
        yield error


@contextmanager
def clear_endings() -> Iterator[None]:
    """Turn the framework's errors into one line each and an exit code.

    What is no error of the framework's is a bug and keeps its traceback.
    """
    try:
        yield
    except (FrameworkError, BaseExceptionGroup) as error:
        known = list(known_errors(error))
        if not known:
            raise
        for one in known:
            say(f"error: {one}")
        raise SystemExit(code_of(known[0])) from error
