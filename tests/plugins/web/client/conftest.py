"""A scripted server, and a client of it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from framework_web.client import TaskClient
from tests.plugins.web.client.scripted import Scripted, scripted_server


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted_server() as server:
        yield server


@pytest.fixture
async def client(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TaskClient]:
    """Return one that tries again soon, so that no test waits."""
    monkeypatch.setattr("framework_web.client.stream.FIRST_RETRY", 0.01)
    async with TaskClient(server.url, patience=timedelta(seconds=30)) as client:
        yield client
