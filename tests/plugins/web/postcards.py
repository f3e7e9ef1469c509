"""The example of a page that fills in when its job is done, served as uvicorn does."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx2
import pytest
import uvicorn

from tests.support.servers import free_port
from tests.support.until import until

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
    port = free_port()
    config = uvicorn.Config("postcards:api", port=port, log_config=None, ws="none")
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server._serve)  # noqa: SLF001 - `serve` would take the signals of the test
        await until(lambda: server.started, message="it listens")
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as web:
            yield web
        server.should_exit = True
    del sys.modules["postcards"]
