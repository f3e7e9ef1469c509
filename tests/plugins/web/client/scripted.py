"""A server that says what a test tells it to, over a real socket."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.servers import free_port
from tests.support.until import until


class CutError(Exception):
    """Ends an answer in the middle."""


class Watched:
    """One client's stream of events."""

    def __init__(self, request: Request) -> None:
        self.headers = request.headers
        self.query = request.url.query
        self.is_over = False
        self._put, self._taken = anyio.create_memory_object_stream[str | None](100)

    def send(self, event: str, data: object, event_id: str = "") -> "Watched":
        """Send an event."""
        first = f"id: {event_id}\n" if event_id else ""
        return self.write(f"{first}event: {event}\ndata: {json.dumps(data)}\n\n")

    def snapshot(self, **known: object) -> "Watched":
        return self.send("snapshot", snapshot(**known), "1-0")

    def write(self, text: str) -> "Watched":
        self._put.send_nowait(text)
        return self

    def end(self) -> None:
        self._put.close()

    def cut(self) -> None:
        self._put.send_nowait(None)

    async def parts(self) -> AsyncGenerator[str, None]:
        yield "retry: 1\n\n"
        try:
            async for part in self._taken:
                if part is None:
                    raise CutError
                yield part
        finally:
            self.is_over = True
            self._taken.close()
            self._put.close()


class Scripted:
    """What a test tells the server, and what it was asked.

    Attributes:
        asked: ``POST /tasks/report``, one a request.
        posted: What was posted last, and its headers.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/tasks"
        self.asked: list[str] = []
        self.posted: Any = None
        self.headers: Mapping[str, str] = {}
        self._answers: dict[str, Response] = {}
        self._streams = anyio.create_memory_object_stream[Watched](100)

    def answer(
        self, asked: str, status: int, told: object, headers: Mapping[str, str] | None = None
    ) -> None:
        kind = "application/json" if status < 400 else "application/problem+json"
        self._answers[asked] = JSONResponse(told, status, headers, kind)

    def forget(self, asked: str) -> None:
        del self._answers[asked]

    def accept(self, task_id: str = "7") -> None:
        """Answer the start of a task, and its abort."""
        own = f"/tasks/report/{task_id}"
        links = {"self": own, "events": f"{own}/events?token=t", "abort": own}
        told = {"id": task_id, "type": "report", "links": links}
        self.answer("POST /tasks/report", 202, told)
        self.answer(f"DELETE {own}", 202, {"id": task_id, "effect": "asked"})

    async def stream(self) -> Watched:
        """Return the next stream that a client opens."""
        with anyio.fail_after(10):
            return await self._streams[1].receive()

    async def take(self, request: Request) -> Response:
        what = f"{request.method} {request.url.path}"
        self.asked.append(what)
        self.headers = request.headers
        if body := await request.body():
            self.posted = json.loads(body)
        if found := self._answers.get(what):
            return found
        if not request.url.path.endswith("/events"):
            return JSONResponse({"detail": "no such task"}, 404)
        watched = Watched(request)
        self._streams[0].send_nowait(watched)
        return StreamingResponse(watched.parts(), media_type="text/event-stream")

    def close(self) -> None:
        for end in self._streams:
            end.close()


def snapshot(**known: object) -> dict[str, object]:
    """Return what a server tells first."""
    told: dict[str, object] = {"id": "7", "type": "report", "state": "active", "attempts_made": 0}
    for name in ("progress", "result", "error", "due_at", "started_at", "finished_at"):
        told[name] = None
    return told | {"added_at": "2026-01-02T03:04:05.678+00:00"} | known


@asynccontextmanager
async def scripted_server() -> AsyncIterator[Scripted]:
    port = free_port()
    script = Scripted(port)
    every = ["GET", "POST", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", script.take, methods=every)])
    async with serving(app, port):
        yield script
    script.close()


@asynccontextmanager
async def serving(app: Starlette, port: int) -> AsyncIterator[None]:
    """Serve an app in this loop, and drop its clients at the end."""
    config = uvicorn.Config(app, port=port, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve)
        await until(lambda: server.started, message="it serves")
        try:
            yield
        finally:
            server.should_exit = server.force_exit = True
