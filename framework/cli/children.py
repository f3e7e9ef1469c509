"""The processes that ``framework dev`` starts, and how they end."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from subprocess import PIPE

import anyio
from anyio.abc import Process

from framework.cli.lifeline import LIFELINE

# Ctrl-C must end everything within five seconds.
STOP_SECONDS = 3.5


class Child:
    """One process of ours, in a session of its own so that Ctrl-C reaches us alone.

    Args:
        title: What it is, for messages.
        command: What follows ``framework``.
        environment: Its environment.
    """

    def __init__(self, title: str, command: list[str], environment: Mapping[str, str]) -> None:
        self.title = title
        self._command = [sys.executable, "-m", "framework.cli.main", *command]
        self._environment = {**os.environ, **environment, LIFELINE: "1"}
        self._process: Process | None = None

    @property
    def is_running(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it."""
        self._process = await anyio.open_process(
            self._command,
            stdin=PIPE,
            stdout=None,
            stderr=None,
            env=self._environment,
            start_new_session=True,
        )

    async def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        if self._process is None:
            return 0
        return await self._process.wait()

    async def stop(self) -> None:
        """End it: told first, killed when it does not listen."""
        process = self._process
        if process is None:
            return
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                process.terminate()
            with anyio.move_on_after(STOP_SECONDS):
                await process.wait()
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            await process.aclose()
            self._process = None
