"""The example of a page that fills in when its job is done, served as uvicorn does."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.plugins.web.uvicorns import uvicorn_of

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


@pytest.fixture
async def postcards(
    redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve it; nothing of it is left imported."""
    monkeypatch.setenv("FRAMEWORK_REDIS_URL", redis_url)
    monkeypatch.setenv("FRAMEWORK_PREFIX", prefix)
    monkeypatch.setenv("FRAMEWORK_PLUGINS", "web")
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    monkeypatch.setenv("POSTCARDS_STROKE", "0.01")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    async with uvicorn_of("postcards:api") as web:
        yield web
    del sys.modules["postcards"]
