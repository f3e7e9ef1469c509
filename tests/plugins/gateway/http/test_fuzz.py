"""Requests that make no sense, at every path: an answer each, and never an error of the gateway."""

import json
import random
from urllib.parse import quote

import anyio
import pytest
from structlog.testing import capture_logs

from framework import Queue
from framework_gateway.http.routes import ROUTES
from tests.plugins.gateway.conftest import KEY, Start, client_of

ODD: list[object] = [
    None, True, 0, -1, 1.5, 1e308, 10**40, "", "x", "12", "a:b", "\u0000", "\u202e", "x" * 3000,
    [], [[]], {}, {"": None}, [1, {"a": [None]}],
]  # fmt: skip
NAMES = [
    "name", "data", "opts", "queue", "queueName", "endpoint", "children", "url", "method",
    "headers",
    "timeout", "delay", "priority", "backoff", "type", "repeat", "every", "pattern", "parent", "id",
    "deduplication", "ttl", "removeOnComplete", "count", "age", "concurrency", "limiter", "max",
    "duration", "grace", "limit", "delayed", "jobId", "",
]  # fmt: skip
QUEUES = ["demo", "ab", "a:b", "%zz", "%ff", "%00%00%00", "demo%2Fjobs", "..", "x" * 200, "%F0%9F"]
IDS = ["1", "wait", "meta", "%zz", "%ff", "x" * 1000, "..", "%00", "a%3Ab", "-1"]
BROKEN = [b"", b"{", b"[1,", b"\xff", b"nul", b"[" * 5000, b'"\\ud800"', b"1e999", b"NaN", b"\x00"]


def odd_value(chance: random.Random, depth: int = 3) -> object:
    """Return any JSON value, more often with names that mean something."""
    kind = chance.random()
    if depth == 0 or kind < 0.4:
        return chance.choice(ODD)
    if kind < 0.85:
        names = chance.sample(NAMES, chance.randint(0, 6))
        return {name: odd_value(chance, depth - 1) for name in names}
    return [odd_value(chance, depth - 1) for _ in range(chance.randint(0, 3))]


def odd_body(chance: random.Random) -> bytes:
    if chance.random() < 0.2:
        return chance.choice(BROKEN)
    return json.dumps(odd_value(chance)).encode()


def odd_path(chance: random.Random, path: str) -> str:
    """Fill a path in, and ask for something behind it."""
    filled = path.replace(":queue", chance.choice(QUEUES)).replace(":id", chance.choice(IDS))
    asked = chance.choice(["start", "length", "statuses", "force", "events", "lastEventId", "x"])
    value = quote(str(chance.choice(ODD))[:200])
    return f"{filled}?{asked}={value}" if chance.random() < 0.5 else filled


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_asked_is_answered_and_the_gateway_lives_on(
    start: Start, queue: Queue, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    await queue.add("n")
    with capture_logs() as logs:
        gateway = await start()
        told: list[tuple[int, str]] = []
        async with client_of(gateway, chance.choice([KEY, KEY, KEY, "wrong"])) as http:
            for _ in range(6):
                for route in ROUTES:
                    path = odd_path(chance, route.path)
                    headers = {} if chance.random() < 0.7 else {"Accept": "application/json"}
                    with anyio.fail_after(20):
                        answer = await http.request(
                            route.method, path, content=odd_body(chance), headers=headers
                        )
                    told.append((answer.status_code, f"{route.method} {path}: {answer.text[:200]}"))
            after = await http.get("/health")

    assert [one for one in told if one[0] >= 500] == []
    assert [log for log in logs if log["log_level"] in {"error", "critical"}] == []
    assert all("Traceback" not in text for _, text in told)
    assert after.status_code == 200


POST = b"POST /queues/demo/jobs HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
    ids=lambda sent: repr(sent[:60]),
)  # fmt: skip
async def test_what_is_no_http_is_refused_and_closed(start: Start, sent: bytes) -> None:
    with capture_logs() as logs:
        gateway = await start(request_timeout=0.5)
        answer = b""
        async with await anyio.connect_tcp("127.0.0.1", gateway.port) as line:
            with anyio.fail_after(10):
                try:
                    await line.send(sent)
                    while True:
                        answer += await line.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    pass
        async with client_of(gateway) as http:
            after = await http.get("/health")

    assert answer[:13] in {b"", b"HTTP/1.1 400 ", b"HTTP/1.1 404 ", b"HTTP/1.1 431 "}
    assert [log for log in logs if log["log_level"] in {"error", "critical"}] == []
    assert after.status_code == 200
