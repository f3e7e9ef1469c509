"""A web app with the plugin's endpoints on a real socket, and the workers beside it."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
import uvicorn
from pydantic import BaseModel, Field
from starlette.applications import Starlette

from framework import Context, Job, UnrecoverableError
from framework.app.application import Application
from framework.app.mounts import mounted
from framework.asgi import STATE
from framework_web import task
from tests.support.until import until


class Resize(BaseModel):
    width: int = Field(gt=0)
    name: str = "picture"
    gate: str = ""


GATES: dict[str, anyio.Event] = {}


def gate(name: str) -> anyio.Event:
    """What a job waits for before it goes on."""
    return GATES.setdefault(name, anyio.Event())


@task("resize", queue="pictures", concurrency=20)
async def resize(job: Job[Resize], ctx: Context) -> dict[str, int]:
    await ctx.progress(20)
    await ctx.log("begun")
    await ctx.stream("first")
    if job.data.gate:
        await gate(job.data.gate).wait()
    if job.data.name == "jammed" and ctx.attempt == 1:
        raise ValueError("paper jam")
    if job.data.name == "broken":
        raise UnrecoverableError("no picture")
    await ctx.progress({"percentage": 80, "message": "nearly"})
    await ctx.log("nearly done")
    await ctx.stream({"second": 2})
    return {"width": job.data.width}


@dataclass(frozen=True)
class Event:
    """One server-sent event; a comment has no name."""

    name: str
    data: Any
    id: str = ""


@asynccontextmanager
async def serving(
    app: Application,
    *,
    work: bool = True,
    make: Callable[..., Starlette] = Starlette,
    **config: object,
) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve what the plugins of an application mount; yield a client of it.

    Args:
        work: Run the workers beside it.
        make: Makes the web app.
        config: Of uvicorn.
    """

    @asynccontextmanager
    async def lifespan(web: Starlette) -> AsyncIterator[dict[str, Application]]:
        with mounted(web, app.builder.mounts):
            yield {STATE: app}

    async with app, anyio.create_task_group() as tasks:
        if work:
            await tasks.start(app.work)
        told: dict[str, Any] = {
            "log_config": None,
            "access_log": False,
            "timeout_graceful_shutdown": 1,
            **config,
        }
        server = uvicorn.Server(uvicorn.Config(make(lifespan=lifespan), port=0, **told))
        tasks.start_soon(server._serve)  # noqa: SLF001 - `serve` would take the signals of the test
        await until(lambda: server.started, message="the server listens")
        port = server.servers[0].sockets[0].getsockname()[1]
        limits = httpx2.Limits(max_connections=None)
        base = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=base, limits=limits, timeout=30) as client:
            yield client
        server.should_exit = True
        app.stop()


async def events_of(response: httpx2.Response) -> AsyncGenerator[Event, None]:
    """Yield the events of a stream; a comment comes as one without a name."""
    name, data, event_id = "", "", ""
    async for line in response.aiter_lines():
        kind, _, value = line.partition(": ")
        match kind:
            case "event":
                name = value
            case "data":
                data = value
            case "id":
                event_id = value
            case "" if line:
                yield Event("", value)
            case "" if name:
                yield Event(name, json.loads(data), event_id)
                name = ""
            case _:
                pass
