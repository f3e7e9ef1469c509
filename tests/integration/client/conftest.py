from collections.abc import AsyncIterator

import pytest

from framework.store.store import Store
from tests.support.apps import open_app  # noqa: F401 - a fixture
from tests.support.builders import unknown_keys


@pytest.fixture(autouse=True)
async def _only_known_keys_are_left(store: Store, prefix: str) -> AsyncIterator[None]:
    """Every key left behind is one that the wire format names, or one of our own."""
    yield
    assert await unknown_keys(store, prefix) == []
