"""A worker of ours in a process of its own, to be killed: every job hangs in it.

``python -m tests.support.doomed REDIS_URL PREFIX LOCK_MS``
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio

from framework import Context, Job
from tests.support.ours import Ours, does

ROOT = Path(__file__).parents[2]


@contextmanager
def doomed_worker(
    redis_url: str, prefix: str, lock: timedelta
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start one on the queue ``q``; on the way out it is killed if it still lives."""
    lock_ms = str(round(lock.total_seconds() * 1000))
    command = [sys.executable, "-m", __spec__.name, redis_url, prefix, lock_ms]
    process = subprocess.Popen(command, cwd=ROOT)  # noqa: S603 - our own program
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def hang(_: Job[Any], __: Context) -> None:
    await anyio.sleep_forever()


async def main(redis_url: str, prefix: str, lock: timedelta) -> None:
    async with Ours(redis_url, prefix).working(does(hang, lock=lock, stalled=lock)):
        await anyio.sleep_forever()


if __name__ == "__main__":
    url, prefix, lock_ms = sys.argv[1:]
    anyio.run(main, url, prefix, timedelta(milliseconds=int(lock_ms)))
