"""Watching that something stays as it is: for what must not happen."""

from collections.abc import Awaitable, Callable

import anyio


async def holds(
    condition: Callable[[], Awaitable[bool]],
    *,
    seconds: float = 0.3,
    message: str = "it did not stay so",
) -> None:
    """Ask `condition` for a while, and see that it is true each time.

    Raises:
        AssertionError: Once it was not.
    """
    with anyio.move_on_after(seconds):
        while True:
            assert await condition(), message
            await anyio.sleep(0.02)
