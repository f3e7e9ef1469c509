"""A worker or its supervisor is killed while a hundred jobs run: the short forms."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from framework import Application, Settings
from framework.app.discovery import Declarations
from tests.support.fallen import Place, kill_a_worker, kill_the_supervisor

# Other tests run beside these; ``make chaos`` allows a second.
WITHIN = 3.0


@pytest.fixture
async def place(tmp_path: Path, redis_url: str, prefix: str) -> AsyncIterator[Place]:
    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    async with Application(Declarations("tests"), settings=settings) as app:
        yield Place(tmp_path, app)


async def test_what_a_killed_worker_ran_runs_elsewhere_at_once(place: Place) -> None:
    await kill_a_worker(place, within=WITHIN)


async def test_a_dead_worker_takes_nothing_though_its_calls_come_late(place: Place) -> None:
    await kill_a_worker(place, latency=0.2, within=WITHIN)


async def test_what_runs_as_the_supervisor_is_killed_ends_once(place: Place) -> None:
    await kill_the_supervisor(place, shortest=1.2, lock=0.8)
