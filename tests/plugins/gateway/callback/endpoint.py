"""An endpoint that gateways call: a server on a real socket that answers as a test says."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import h11
from anyio.abc import SocketStream


@dataclass(frozen=True)
class Called:
    """One call of the endpoint."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """The body's JSON."""
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def job(self) -> dict[str, Any]:
        """The job."""
        read: dict[str, Any] = self.said["job"]
        return read


@dataclass(frozen=True)
class Answer:
    """What is answered; a status of 0: the line is cut instead."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    phrase: str = ""


def of_json(value: object, status: int = 200, kind: str = "application/json") -> Answer:
    """An answer of JSON."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": kind})


CUT = Answer(0)
Answers = Callable[[Called], Awaitable[Answer]]


@dataclass
class Endpoint:
    """A running endpoint."""

    answers: Answers
    port: int = 0
    calls: list[Called] = field(default_factory=list)
    lines: int = 0
    at_once: int = 0
    most_at_once: int = 0

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}/cb?x=1"

    def record(self, queue: str = "demo", **more: object) -> dict[str, object]:
        """What registers it as a worker; ``timeout`` and ``headers`` are the endpoint's."""
        called: dict[str, object] = {"url": self.url, "method": "POST"}
        called |= {name: more.pop(name) for name in ("timeout", "headers") if name in more}
        record: dict[str, object] = {"queue": queue, "endpoint": called}
        return record | ({"opts": more} if more else {})

    async def serve(self, line: SocketStream) -> None:
        """Answer what comes over one connection."""
        self.lines += 1
        reader = h11.Connection(h11.SERVER)
        async with line:
            with suppress(h11.RemoteProtocolError):  # what is no HTTP is not answered
                while await self._serve_one(line, reader):
                    reader.start_next_cycle()

    async def _serve_one(self, line: SocketStream, reader: h11.Connection) -> bool:
        request, body = None, b""
        while True:
            event = reader.next_event()
            if event is h11.NEED_DATA:
                try:
                    reader.receive_data(await line.receive())
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return False
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                return await self._answer(line, reader, request, body)
            else:
                return False

    async def _answer(
        self, line: SocketStream, reader: h11.Connection, request: h11.Request, body: bytes
    ) -> bool:
        headers = {name.decode(): value.decode() for name, value in request.headers}
        called = Called(request.method.decode(), request.target.decode(), headers, body)
        self.calls.append(called)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            answer = await self.answers(called)
        finally:
            self.at_once -= 1
        if answer.status == 0:
            return False
        lines = [*answer.headers.items(), ("Content-Length", str(len(answer.body)))]
        head = h11.Response(
            status_code=answer.status,
            headers=lines,
            reason=answer.phrase.encode(),
        )
        sent = [head, h11.Data(answer.body), h11.EndOfMessage()]
        try:
            await line.send(b"".join(reader.send(event) or b"" for event in sent))
        except anyio.BrokenResourceError:
            return False
        return reader.our_state is h11.DONE


@asynccontextmanager
async def endpoint(answers: Answers) -> AsyncIterator[Endpoint]:
    """Serve until the end of the block."""
    served = Endpoint(answers)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    served.port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - anyio's
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, served.serve)
        yield served
        tasks.cancel_scope.cancel()


def always(answer: Answer) -> Answers:
    """Answer the same to all."""

    async def answers(_: Called) -> Answer:
        return answer

    return answers
