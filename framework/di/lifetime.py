"""Opening what providers make, and closing it again in reverse order."""

from collections.abc import Mapping
from contextlib import asynccontextmanager, contextmanager
from types import AsyncGeneratorType, GeneratorType
from typing import Any, NamedTuple

import anyio

from framework.di.expression import spell_name
from framework.di.provider import Provider

CLOSE_TIMEOUT = 30.0  # seconds that one provider gets to clean up after an error or at the end


class Opened(NamedTuple):
    """A generator provider that has yielded and waits to be finished."""

    provider: Provider
    generator: "AsyncGeneratorType[Any, None] | GeneratorType[Any, None, None]"


async def open_one(
    provider: Provider, arguments: Mapping[str, object], opened: list[Opened]
) -> object:
    """Make what a provider provides, and note in ``opened`` what is to be closed."""
    makes = provider.makes
    try:
        made: Any = provider.spec.target(**arguments)
        if makes == "value":
            return made
        if makes == "coroutine":
            return await made
        try:
            value: object = await anext(made) if makes == "async generator" else next(made)
        except (StopAsyncIteration, StopIteration):
            raise RuntimeError("generator didn't yield") from None
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
                await finish(opened, error)
        else:
            await finish(opened, error)
    except Exception as raised:
        spec = opened.provider.spec
        raised.add_note(f"while {spell_name(spec.target)} ({spec.where}) closed")
        raise


async def finish(opened: Opened, error: BaseException | None) -> None:
    """Have a generator of either kind run on to its end, or throw ``error`` into it.

    Where all goes well no context manager is made: it would cost more than the rest of a scope.
    """
    generator = opened.generator
    if error is not None:
        await throw(opened, error)
        return
    try:
        if isinstance(generator, AsyncGeneratorType):
            await anext(generator)
        else:
            next(generator)
    except (StopAsyncIteration, StopIteration):
        return
    if isinstance(generator, AsyncGeneratorType):
        await generator.aclose()
    else:
        generator.close()
    raise RuntimeError("generator didn't stop")


async def throw(opened: Opened, error: BaseException) -> None:
    """Throw an error into a generator; one that ends with it, or swallows it, has done its part."""
    generator, thrown = opened.generator, (type(error), error, error.__traceback__)
    if isinstance(generator, AsyncGeneratorType):
        await asynccontextmanager(lambda: generator)().__aexit__(*thrown)
    else:
        contextmanager(lambda: generator)().__exit__(*thrown)


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
