"""Who notices that Redis answers again, and whether the old lines are dead."""

from pathlib import Path

import anyio
import pytest
from redis import exceptions

from framework.store.connection import pack
from framework.store.store import Store
from tests.support.proxy import Proxy
from tests.support.servers import one_server
from tests.support.until import until

BLOCK = pack("BLPOP", "never", 1)


async def test_a_call_on_a_line_that_died_in_silence_breaks_off_once_redis_answers(
    redis_url: str,
) -> None:
    broke = anyio.Event()
    async with Proxy(redis_url, chance=0).serve() as proxy, Store(proxy.url) as store:
        held = store.hold()

        async def wait_long() -> None:
            with pytest.raises((exceptions.RedisError, OSError)):
                await held.call(pack("BLPOP", "never", 60), deadline=61)
            broke.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.listen)
            tasks.start_soon(wait_long)
            await until(lambda: proxy.replies["PING"] >= 2, message="its heart beats")
            proxy.part()
            await anyio.sleep(1.5)
            proxy.heal()

            await until(broke.is_set, timeout=2, message="the call breaks off")
            tasks.cancel_scope.cancel()


async def test_a_server_that_was_only_slow_keeps_its_lines(tmp_path: Path) -> None:
    with one_server(tmp_path) as server:
        async with Store(server.url) as store, anyio.create_task_group() as tasks:
            held = store.hold()
            tasks.start_soon(store.listen)
            await held.call(pack("PING"))
            await anyio.sleep(0.3)
            server.freeze()
            try:
                with anyio.move_on_after(1.5):
                    await store.command("PING")
            finally:
                server.thaw()

            assert await held.call(BLOCK, deadline=6) is None  # not broken off
            tasks.cancel_scope.cancel()
