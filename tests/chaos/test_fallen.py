"""A worker or its supervisor is killed while a hundred jobs run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from framework import Application, Settings
from framework.app.discovery import Declarations
from tests.chaos.conftest import Tell
from tests.support.fallen import Place, kill_a_worker, kill_the_supervisor
from tests.support.node import NodePeer, both_majors


@pytest.fixture
async def place(tmp_path: Path, redis_url: str, prefix: str) -> AsyncIterator[Place]:
    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    async with Application(Declarations("tests"), settings=settings) as app:
        yield Place(tmp_path, app)


@pytest.mark.parametrize("latency", [0.0, 0.2])
async def test_what_a_killed_worker_ran_runs_elsewhere_within_a_second(
    place: Place, latency: float, tell: Tell
) -> None:
    tell(await kill_a_worker(place, latency=latency))


@both_majors
@pytest.mark.parametrize("latency", [0.0, 0.2])
async def test_what_a_killed_worker_ran_runs_on_idle_node_within_a_second(
    place: Place, latency: float, node: NodePeer, tell: Tell
) -> None:
    tell(await kill_a_worker(place, latency=latency, node=node))


@pytest.mark.parametrize(("shortest", "lock", "latency"), [(2, 1, 0), (6, 2, 0), (2, 1, 0.2)])
async def test_what_runs_as_the_supervisor_is_killed_ends_once(
    place: Place, shortest: float, lock: float, latency: float, tell: Tell
) -> None:
    tell(await kill_the_supervisor(place, shortest=shortest, lock=lock, latency=latency))
