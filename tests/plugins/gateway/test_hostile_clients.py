"""What clients send that is broken, endless or never ends: others are not disturbed."""

import asyncio  # noqa: TID251 - which tasks are left, anyio does not tell
import json
import logging
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from framework import Queue
from framework_gateway import Gateway
from tests.plugins.gateway.clients import client
from tests.plugins.gateway.conftest import KEY, Start
from tests.support.until import until

HANDSHAKE = (
    "GET /queue/demo?token={key} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)
# Opcode, length and mask as no client may send them.
BROKEN_FRAMES = {
    "not masked": b"\x81\x05hello",
    "a reserved opcode": b"\x83\x80\x00\x00\x00\x00",
    "a reserved bit": b"\xc1\x80\x00\x00\x00\x00",
    "a continuation of nothing": b"\x80\x80\x00\x00\x00\x00",
    "a ping too long": b"\x89\xfe\x00\x7e" + b"\x00" * 130,
    "a ping in fragments": b"\x09\x80\x00\x00\x00\x00",
    "a close of one byte": b"\x88\x81\x00\x00\x00\x00\x03",
    "a close with a code that is none": b"\x88\x82\x00\x00\x00\x00\x00\x00",
    "a length beyond all bounds": b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
    "a length beyond what may be sent": b"\x81\xff\x00\x00\x00\x00\x7f\xff\xff\xff\x00\x00\x00\x00",
}


@asynccontextmanager
async def raw(gateway: Gateway, first: bytes = b"") -> AsyncIterator[anyio.abc.SocketStream]:
    """Connect without any protocol, and send something."""
    async with await anyio.connect_tcp("127.0.0.1", gateway.port) as stream:
        if first:
            await stream.send(first)
        yield stream


async def rest_of(stream: anyio.abc.SocketStream) -> bytes:
    """Receive until the other side closes."""
    received = b""
    with anyio.fail_after(10), suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            received += await stream.receive()
    return received


@pytest.fixture(autouse=True)
async def nothing_is_wrong(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Whatever a client sends, nothing is logged as an error, and no traceback is shown."""
    with capture_logs() as logs:
        yield
    wrong = [one for one in logs if one["log_level"] in {"error", "critical"} or "exc_info" in one]
    assert wrong == []
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("name", BROKEN_FRAMES)
async def test_a_broken_frame_closes_its_connection_alone(gateway: Gateway, name: str) -> None:
    async with client(gateway, "/queue/demo") as other:
        async with raw(gateway, HANDSHAKE.format(key=KEY).encode()) as stream:
            assert b"101 Switching Protocols" in await stream.receive()
            await stream.send(BROKEN_FRAMES[name])

            assert (await rest_of(stream))[:1] == b"\x88"
        assert await other.ok("count") == 0


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET /%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /queue/demo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_answered_or_closed(gateway: Gateway, sent: bytes) -> None:
    async with raw(gateway) as stream:
        with suppress(anyio.BrokenResourceError):
            await stream.send(sent)
            await stream.send_eof()
        answer = await rest_of(stream)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    async with client(gateway, "/queue/demo") as other:
        assert await other.ok("count") == 0


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    ],
)
async def test_a_request_whose_head_never_ends_is_closed(start: Start, sent: bytes) -> None:
    gateway = await start(request_timeout=0.4)
    async with raw(gateway, sent) as stream:
        began = anyio.current_time()
        await rest_of(stream)

        assert anyio.current_time() - began >= 0.3


async def test_bytes_that_trickle_in_do_not_prolong_a_head(start: Start) -> None:
    gateway = await start(request_timeout=0.4)
    async with raw(gateway, b"GET / HTTP/1.1\r\nX: ") as stream:
        with anyio.fail_after(5), suppress(anyio.BrokenResourceError):
            while True:
                await stream.send(b"y")
                await anyio.sleep(0.05)


async def test_a_body_that_never_ends_is_refused(start: Start) -> None:
    gateway = await start(request_timeout=0.4)
    head = (
        f"POST /queues/demo/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        "Content-Length: 100\r\n\r\n["
    )
    async with raw(gateway, head.encode()) as stream:
        answer = await rest_of(stream)

    assert answer.startswith(b"HTTP/1.1 408")


def noise(random_: random.Random) -> Any:  # noqa: ANN401 - anything
    """Make some JSON, or what looks like it."""
    depth = random_.randrange(1, 60)
    choices: list[Any] = [
        None,
        True,
        random_.randrange(-(2**70), 2**70),
        random_.random() * 10 ** random_.randrange(-300, 300),
        "x" * random_.randrange(2000),
        "\u0000\u2028é😀",
        "[" * depth + "]" * depth,
        {"id": random_.randrange(5), "data": {"fn": "add", "args": [None] * depth}},
        {"id": random_.randrange(5), "data": {"type": "result", "payload": {"a": [1] * depth}}},
        {"id": "0", "data": {"err": [[["x"]]]}},
        {"id": 0, "data": {"progress": {"x": "y" * 1000}}},
        {"id": 0, "data": {"extend": random_.random() * 1e9}},
        {"id": {}, "data": []},
    ]
    return random_.choice(choices)


def mangled(text: bytes, random_: random.Random) -> bytes:
    """Change, cut or repeat some bytes."""
    spoilt = bytearray(text)
    for _ in range(random_.randrange(4)):
        if spoilt:
            spoilt[random_.randrange(len(spoilt))] = random_.randrange(256)
    cut = random_.randrange(len(spoilt) + 1)
    return bytes(spoilt[:cut] if random_.random() < 0.3 else spoilt)


@pytest.mark.parametrize("path", ["/queue/demo", "/queue/demo/process/3", "/queue/demo/events"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_noise_is_answered_and_disturbs_nobody(
    gateway: Gateway, queue: Queue, path: str, seed: int
) -> None:
    random_ = random.Random(seed)  # noqa: S311 - the same noise each time
    async with client(gateway, "/queue/other") as other:
        for _ in range(8):
            async with client(gateway, path) as noisy:
                await queue.add("n", 1)
                for _ in range(40):
                    text = mangled(json.dumps(noise(random_)).encode(), random_)
                    with suppress(Exception):
                        await noisy.socket.send(text, text=random_.random() < 0.5)
                if random_.random() < 0.5:
                    noisy.cut()
            assert await other.ok("count") == 0
        await until(lambda: len(list(gateway.hub.connections)) == 1, message="the noisy are gone")


@pytest.mark.parametrize("channel", ["", "/process/2", "/events"])
@pytest.mark.parametrize("waits", [True, False])
async def test_half_open_sockets_leave_nothing_behind(
    gateway: Gateway, channel: str, waits: bool
) -> None:
    handshake = HANDSHAKE.format(key=KEY).replace("/demo?", f"/demo{channel}?")
    for _ in range(15):
        async with raw(gateway, handshake.encode()) as stream:
            if waits:
                await stream.receive()
            linger = stream.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610 - of anyio
            linger.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )

    def served() -> list[str]:
        return [one.get_name() for one in asyncio.all_tasks() if "run_asgi" in repr(one)]

    await until(lambda: not list(gateway.hub.connections), message="all are gone")
    await until(lambda: not served(), message="nobody is served")


async def test_a_slow_reader_of_answers_is_not_read_from(gateway: Gateway, queue: Queue) -> None:
    await queue.add("n", "x" * 500_000)
    async with client(gateway, "/queue/demo", max_queue=1) as slow:
        slow.socket.transport.pause_reading()
        with anyio.move_on_after(1):
            for number in range(2000):
                await slow.send({"id": number, "data": {"fn": "getJob", "args": ["1"]}})
        (told,) = list(gateway.hub.connections)
        connection = told.connection.connection  # type: ignore[attr-defined]  # a queue channel's

        # Some answers wait, by far not two thousand of half a megabyte.
        assert connection.size < 120 * 600_000
        assert told.connection.in_hand <= 100
        slow.cut()
    await until(lambda: not list(gateway.hub.connections), message="it is gone")


@pytest.mark.parametrize("level", [logging.DEBUG])
async def test_tokens_reach_no_log(
    start: Start, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    secret, wrong = "s3cret-of-mine", "wr0ng-guess"
    with caplog.at_level(level), capture_logs() as logs:
        gateway = await start(secret)
        async with client(gateway, "/queue/demo?x=1", key=secret) as asks:
            await asks.send("{bad")
            await asks.receive()
        headers = {"Authorization": f"Bearer {secret}"}
        async with client(gateway, "/queue/demo/events", key=None, additional_headers=headers):
            pass
        for path in (
            f"/queue/demo?token={wrong}",
            f"/queue/de:mo?token={secret}",
            f"/x?token={secret}",
        ):
            async with raw(gateway, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as stream:
                await stream.send_eof()
                await rest_of(stream)
        await gateway.close()

    # The client of this test logs what it sends; that is none of the gateway's.
    written = [one.getMessage() for one in caplog.records if one.name != "websockets.client"]
    assert not [one for one in written if secret in one or wrong in one]
    assert not [one for one in logs if secret in repr(one) or wrong in repr(one)]
