"""A container is paused, a terminal stops its job: nobody is blocked, nobody is killed for it."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

from framework import Application, Queue, Settings
from framework.app.discovery import Declarations
from tests.integration.cli.test_supervisor import supervised
from tests.support.command import children_of


@pytest.fixture
async def queue(redis_url: str, prefix: str) -> AsyncIterator[Queue]:
    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    async with Application(Declarations("tests"), settings=settings) as app:
        yield app.queue("greetings")


async def test_who_was_frozen_with_its_workers_kills_none_of_them(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    with supervised(tmp_path, redis_url, prefix, ready=1, FRAMEWORK_MAX_BLOCK="5.1") as run:
        (worker,) = children_of(run.process.pid)
        assert await queue.result(await queue.add("x", {})) == worker
        for pid in (worker, run.process.pid):
            os.kill(pid, signal.SIGSTOP)
        await anyio.sleep(6.5)  # longer than a worker may stand still
        for pid in (run.process.pid, worker):
            os.kill(pid, signal.SIGCONT)
            await anyio.sleep(0.3)  # the supervisor alone looks first, several times

        assert await queue.result(await queue.add("x", {})) == worker
        run.send(signal.SIGTERM)
        assert run.ends() == 0
    assert "it is killed" not in run.output
