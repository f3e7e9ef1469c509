"""The example of who may ask, as a server; nothing of it stays imported."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.plugins.web.postcards import EXAMPLES
from tests.plugins.web.uvicorns import uvicorn_of


@pytest.fixture
async def web(
    redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[httpx2.AsyncClient]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRAMEWORK_REDIS_URL", redis_url)
    monkeypatch.setenv("FRAMEWORK_PREFIX", prefix)
    monkeypatch.setenv("FRAMEWORK_PLUGINS", "web")
    monkeypatch.setenv("FRAMEWORK_WEB_SECRET", "a secret of this test alone")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    async with uvicorn_of("box_office:api") as web:
        yield web
    del sys.modules["box_office"]
