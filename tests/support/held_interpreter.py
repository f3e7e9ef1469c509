"""A program without a supervisor, as a web app is, whose job holds the whole interpreter.

``python -m tests.support.held_interpreter REDIS_URL PREFIX LOCK_SECONDS``
"""

import ctypes
import sys
from datetime import timedelta
from typing import Any

import anyio

from framework import Application, Job, processor
from framework.app.logs import set_up_logs
from tests.support.apps import declared, settings_of

LIVES = 3


def holding(lock: float) -> Any:  # noqa: ANN401 - a processor
    """What keeps the interpreter for itself three times as long as its lock lives."""
    seconds = timedelta(seconds=lock)

    @processor("demo", lock_duration=seconds, stalled_interval=seconds)
    async def hold(job: Job[Any]) -> str:
        ctypes.PyDLL(None).usleep(int(LIVES * lock * 1e6))  # no other thread runs meanwhile
        return "held"

    return hold


async def main(url: str, prefix: str, lock: float) -> None:
    settings = settings_of(url, prefix, log_format="json")
    set_up_logs(settings)
    async with Application(declared(holding(lock)), settings=settings) as app:
        await app.work()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], float(sys.argv[3]))
