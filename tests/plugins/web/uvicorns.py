"""A web app that uvicorn finds by its name, as users serve theirs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx2
import uvicorn

from tests.support.servers import free_port
from tests.support.until import until


@asynccontextmanager
async def uvicorn_of(app: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve it; yield a client of it."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server._serve)  # noqa: SLF001 - `serve` would take the signals of the test
        await until(lambda: server.started, message="it listens")
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as web:
            yield web
        server.should_exit = True
