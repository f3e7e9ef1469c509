"""What the tests of commands share."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from framework import Application, Queue, Settings
from framework.app.discovery import Declarations


@pytest.fixture
async def queue(redis_url: str, prefix: str) -> AsyncIterator[Queue]:
    """The queue that the packages of these tests work on."""
    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    async with Application(Declarations("tests"), settings=settings) as app:
        yield app.queue("greetings")
