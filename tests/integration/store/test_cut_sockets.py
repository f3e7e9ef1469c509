"""A socket that the other side resets is a lost connection, whichever loop tells of it."""

import socket
import struct
from contextlib import suppress

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from redis import exceptions

from framework.store.connection import pack
from framework.store.store import Store

# Closing sends a reset.
HARD = struct.pack("ii", 1, 0)
LOOPS = pytest.mark.parametrize(
    "anyio_backend",
    [("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)


def closes_with_a_reset(stream: SocketStream) -> None:
    raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - anyio's, not Django's
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD)


async def ask_a_server_that_resets(replies: int) -> None:
    """Ask often, of a server that resets each connection after so many replies."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            try:
                for _ in range(replies):
                    await stream.send(b"+OK\r\n" * (await stream.receive()).count(b"*"))
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return
            closes_with_a_reset(stream)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - the same
    store = Store(f"redis://127.0.0.1:{port}")
    async with listener, store, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        held = store.hold()
        for _ in range(40):
            with suppress(exceptions.RedisError, OSError):
                await held.call(pack("PING"))
            await anyio.sleep(0.001)
        tasks.cancel_scope.cancel()


@LOOPS
@pytest.mark.parametrize("replies", [0, 1, 2, 3])
async def test_a_reset_is_no_error_of_the_program(replies: int) -> None:
    await ask_a_server_that_resets(replies)
