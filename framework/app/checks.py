"""The health checks that plugins add, asked beside our own looks."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import anyio

from framework.app.builder import Check
from framework.di.container import Container

EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 3.0


class Checks:
    """What they said last.

    Args:
        added: The checks.

    Attributes:
        latest: The problem that each has, by its name; None where all is well.
    """

    def __init__(self, added: Sequence[Check]) -> None:
        self._added = added
        self._calls: dict[str, Callable[[], Any]] = {}
        self.latest: dict[str, str | None] = {}

    async def make(self, container: Container) -> None:
        """Make what they ask for."""
        for check in self._added:
            arguments = (await container.compile(check.request)).fill({})
            self._calls[check.name] = partial(check.function, **arguments)

    async def look(self) -> None:
        """Ask all of them at once."""
        async with anyio.create_task_group() as tasks:
            for name, call in self._calls.items():
                tasks.start_soon(self._ask, name, call)

    async def run(self) -> None:
        """Ask them until cancelled."""
        while self._calls:
            await self.look()
            await anyio.sleep(EVERY_SECONDS)

    async def _ask(self, name: str, call: Callable[[], Any]) -> None:
        problem: str | None = f"no answer within {PATIENCE_SECONDS:g} s"
        with anyio.move_on_after(PATIENCE_SECONDS):
            try:
                answer = call()
                answer = await answer if inspect.isawaitable(answer) else answer
                problem = None if answer is None else str(answer)
            except Exception as error:  # a broken check is a problem, not an end
                problem = f"{type(error).__name__}: {error}".rstrip(": ")
        self.latest[name] = problem
