"""A world for the state machine: an application on a clock that stands still."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic import SecretStr

from framework import Application, Settings
from framework.app.discovery import Declarations
from tests.property.snapshot import Look
from tests.property.world import QUEUES, WORKERS, VirtualClock, World


@asynccontextmanager
async def opened(portal: BlockingPortal, redis_url: str, prefix: str) -> AsyncIterator[World]:
    clock = VirtualClock()
    app = Application(
        Declarations("tests"),
        settings=Settings(redis_url=SecretStr(redis_url), prefix=prefix),
        clock=clock,
    )
    async with app:
        look = Look(app.store, prefix, QUEUES)
        lanes = {worker: app.store.lane() for worker in WORKERS}
        yield World(portal, app, clock, look, lanes, prefix)
        await look.clear()


@pytest.fixture
def world(redis_url: str, prefix: str) -> Iterator[World]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(opened(portal, redis_url, prefix)) as world,
    ):
        yield world
