"""A connection of one's own: each call gets its own answer, or none in time."""

from collections.abc import AsyncIterator

import anyio
import pytest
from redis import exceptions

from framework.store.connection import HeldConnection, pack
from framework.store.connections import Connections
from framework.store.store import Store
from tests.support.until import until


@pytest.fixture
async def held(store: Store) -> AsyncIterator[HeldConnection]:
    connection = Connections(store.address).hold()
    yield connection
    await connection.aclose()


async def test_a_call_after_a_cancelled_one_gets_its_own_answer(
    held: HeldConnection, prefix: str
) -> None:
    with anyio.move_on_after(0.05):
        await held.call(pack("BLPOP", f"{prefix}:nothing", 5))

    assert await held.call(pack("ECHO", "mine")) == b"mine"


async def test_a_short_deadline_after_a_long_one_holds(held: HeldConnection, prefix: str) -> None:
    await held.call(pack("PING"), deadline=60)

    with anyio.fail_after(2), pytest.raises(exceptions.TimeoutError):
        await held.call(pack("BLPOP", f"{prefix}:nothing", 5), deadline=0.05)

    assert await held.call(pack("ECHO", "mine")) == b"mine"


async def test_a_long_deadline_after_a_short_one_is_not_cut_short(
    held: HeldConnection, prefix: str
) -> None:
    await held.call(pack("PING"), deadline=0.05)

    assert await held.call(pack("BLPOP", f"{prefix}:nothing", 0.2), deadline=5) is None


async def test_errors_among_many_replies_keep_their_places(held: HeldConnection) -> None:
    first, second, third = await held.call_many([("ECHO", "a"), ("NONSENSE",), ("ECHO", "c")])

    assert (first, third) == (b"a", b"c")
    assert isinstance(second, exceptions.ResponseError)


async def test_an_answer_larger_than_one_read_is_whole(held: HeldConnection) -> None:
    text = "x" * 3_000_000

    assert await held.call(pack("ECHO", text)) == text.encode()


async def test_a_connection_that_the_server_closed_is_made_anew(
    held: HeldConnection, store: Store
) -> None:
    number = await held.call(pack("CLIENT", "ID"))
    await store.command("CLIENT KILL", "ID", number)
    opened = held._socket  # noqa: SLF001 - nothing else tells
    assert opened is not None
    await until(lambda: not opened.is_open)

    assert await held.call(pack("CLIENT", "ID")) != number


async def test_a_call_under_way_ends_when_its_socket_is_dropped(
    held: HeldConnection, prefix: str
) -> None:
    async with anyio.create_task_group() as tasks:

        async def wait() -> None:
            with pytest.raises(exceptions.ConnectionError):
                await held.call(pack("BLPOP", f"{prefix}:nothing", 5))

        tasks.start_soon(wait)
        await until(lambda: held._socket is not None)  # noqa: SLF001 - nothing else tells
        await anyio.sleep(0.02)
        await held.drop()
