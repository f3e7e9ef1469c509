"""Objects of the drop-in, on the shared server and the test's own prefix; closed at the end."""

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from framework.store.store import Store
from framework_bullmq.background import HOMES
from tests.plugins.bullmq_api.bull import Bull
from tests.support.builders import unknown_keys


@pytest.fixture(autouse=True)
def logs_stay_as_they_were() -> Iterator[None]:
    """The drop-in sends lines of log to `logging` where nobody has decided."""
    was_configured = structlog.is_configured()
    yield
    if not was_configured:
        structlog.reset_defaults()


@pytest.fixture
async def bull(redis_url: str, prefix: str, store: Store) -> AsyncIterator[Bull]:
    """Make objects; at the end nothing is left open, and only known keys are left."""
    bull = Bull(redis_url, prefix)
    yield bull
    await bull.close()
    assert [home for homes in HOMES.values() for home in homes.values()] == []
    assert await unknown_keys(store, prefix) == []
