"""Opening what providers make, and closing it again in reverse order."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any

import anyio

from framework.di.expression import spell_name
from framework.di.provider import Provider

CLOSE_TIMEOUT = 30.0  # seconds that one provider gets to clean up after an error or at the end


@dataclass(frozen=True, slots=True)
class Opened:
    """A generator provider that has yielded and waits to be finished."""

    provider: Provider
    manager: AbstractAsyncContextManager[Any] | AbstractContextManager[Any]


async def open_one(
    provider: Provider, arguments: Mapping[str, object], opened: list[Opened]
) -> object:
    """Make what a provider provides, and note in ``opened`` what is to be closed."""
    try:
        made = provider.call(**arguments)
        match provider.makes:
            case "coroutine":
                return await made
            case "generator":
                value = made.__enter__()
            case "async generator":
                value = await made.__aenter__()
            case _:
                return made
    except Exception as error:
        error.add_note(f"while {spell_name(provider.spec.target)} ({provider.spec.where}) opened")
        raise
    opened.append(Opened(provider, made))
    return value


async def close_one(opened: Opened, error: BaseException | None, *, shielded: bool) -> None:
    """Finish a generator, or throw ``error`` into it.

    Args:
        opened: The generator.
        error: What went wrong meanwhile; None if nothing did.
        shielded: Let cancellation wait, for at most `CLOSE_TIMEOUT`.

    Raises:
        TimeoutError: Shielded, and it took too long.
        BaseException: What the generator raises other than ``error``.
    """
    try:
        if shielded:
            with anyio.fail_after(CLOSE_TIMEOUT, shield=True):
                await finish(opened.manager, error)
        else:
            await finish(opened.manager, error)
    except Exception as raised:
        spec = opened.provider.spec
        raised.add_note(f"while {spell_name(spec.target)} ({spec.where}) closed")
        raise


async def finish(
    manager: AbstractAsyncContextManager[Any] | AbstractContextManager[Any],
    error: BaseException | None,
) -> None:
    """Leave a context manager, of either kind."""
    thrown = (None, None, None) if error is None else (type(error), error, error.__traceback__)
    if isinstance(manager, AbstractContextManager):
        manager.__exit__(*thrown)
    else:
        await manager.__aexit__(*thrown)


async def close_all(opened: list[Opened]) -> None:
    """Finish all, newest first, whatever some of them raise.

    Raises:
        BaseExceptionGroup: What they raised, after all are closed.
    """
    errors: list[BaseException] = []
    while opened:
        try:
            await close_one(opened.pop(), None, shielded=True)
        except BaseException as error:  # raised below, once all are closed
            errors.append(error)
    if errors:
        raise BaseExceptionGroup("providers failed to close", errors)
