"""Plain commands for plugins, and following a stream."""

from collections.abc import AsyncGenerator, AsyncIterator

import anyio
import pytest

from framework import Application, Redis, RedisRefusedError, StreamEntry
from framework.store.store import Store
from tests.support.apps import settings_of
from tests.support.until import until


@pytest.fixture
async def key(redis_url: str, prefix: str) -> AsyncIterator[str]:
    """A key that is no queue's; it goes at the end."""
    name = f"kept-{prefix}"
    yield name
    async with Store(redis_url) as store:
        await store.command("DEL", name)


@pytest.fixture
def app(redis_url: str, prefix: str) -> Application:
    return Application(settings=settings_of(redis_url, prefix))


async def test_a_command_answers_what_redis_answers(app: Application, key: str) -> None:
    async with app:
        redis = await app.get(Redis)
        await redis.command("HSET", key, "a", 1)

        assert await redis.command("HGETALL", key) == {b"a": b"1"}


async def test_what_redis_refuses_is_an_error(app: Application, key: str) -> None:
    async with app:
        redis = await app.get(Redis)
        await redis.command("SET", key, "a")

        with pytest.raises(RedisRefusedError):
            await redis.command("HGET", key, "a")
        with pytest.raises(RedisRefusedError):
            await redis.last_id(key)


async def test_a_stream_is_followed_from_where_it_is_known(app: Application, key: str) -> None:
    async with app:
        redis = await app.get(Redis)
        assert await redis.last_id(key) == "0-0"
        await redis.command("XADD", key, "1-1", "old", "x")
        after = await redis.last_id(key)
        await redis.command("XADD", key, "2-1", "worker", "mail", "odd", b"\xff")
        follow = redis.follow(key, after)

        first = await anext(follow)
        await redis.command("XADD", key, "3-1", "worker", "sms")
        second = await anext(follow)
        await follow.aclose()

    assert first == [StreamEntry("2-1", {"worker": "mail", "odd": "\ufffd"})]
    assert second == [StreamEntry("3-1", {"worker": "sms"})]


async def test_a_cut_line_is_told_by_an_empty_list_and_dialled_again(
    app: Application, key: str
) -> None:
    async with app:
        redis = await app.get(Redis)
        await redis.command("XADD", key, "1-1", "n", "1")
        follow = redis.follow(key, "0-0")
        await anext(follow)

        async def cut() -> bool:
            clients = (await redis.command("CLIENT", "LIST")).decode().splitlines()
            waiting = [one for one in clients if "cmd=xread" in one and "flags=b" in one]
            ids = [part[3:] for one in waiting for part in one.split() if part.startswith("id=")]
            for one in ids:
                await redis.command("CLIENT", "KILL", "ID", one)
            return bool(ids)

        seen: list[list[StreamEntry]] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take, follow, seen)
            await until(cut)
            await redis.command("XADD", key, "2-1", "n", "2")
            await until(lambda: seen and seen[-1])
            tasks.cancel_scope.cancel()

    assert seen[0] == []
    assert seen[-1] == [StreamEntry("2-1", {"n": "2"})]


async def take(
    follow: AsyncGenerator[list[StreamEntry], None], seen: list[list[StreamEntry]]
) -> None:
    while True:
        seen.append(await anext(follow))
