"""Fixtures that every test may use: the server, a prefix of its own, a store, a Node peer."""

import os
import uuid
from collections.abc import AsyncIterator

import pytest

from framework.store.store import Store
from framework.wire.keys import QueueKeys

# Each has a server and two Node processes of its own.
MOST_WORKERS = 8

pytest_plugins = ["tests.support.aftermath", "tests.support.redis_server", "tests.support.node"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Say what ``-n auto`` means: one more than there are cores, since tests mostly wait."""
    return min((os.cpu_count() or 1) + 1, MOST_WORKERS)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def prefix() -> str:
    """A key prefix that no other test has; on a cluster, with a hash tag."""
    name = f"t{uuid.uuid4().hex[:10]}"
    return f"{{{name}}}" if "+cluster:" in os.environ.get("REDIS_URL", "") else name


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Store]:
    async with Store(redis_url) as store:
        yield store


@pytest.fixture
def keys(prefix: str) -> QueueKeys:
    return QueueKeys(prefix, "demo")
