"""A network that is parted for a while: the short form of what ``make chaos`` does."""

from datetime import timedelta

import anyio
import pytest

from framework import Job, RedisUnavailableError, processor
from framework.app.application import Application
from tests.support.apps import Open, declared, settings_of, working
from tests.support.parted import MOST_SECONDS, part_a_worker
from tests.support.proxy import Proxy
from tests.support.stopwatch import Stopwatch
from tests.support.until import until


async def test_a_parted_worker_lets_go_in_time_and_is_back_at_once(
    redis_url: str, prefix: str
) -> None:
    took = await part_a_worker(redis_url, prefix, lock=1, apart=3)

    assert took.cancelled < 1.5
    assert took.back < MOST_SECONDS


async def test_who_adds_or_waits_behind_a_parted_line_is_told_and_goes_on_once_it_is_healed(
    redis_url: str, prefix: str, open_app: Open
) -> None:
    gate = anyio.Event()

    @processor("demo")
    async def run(job: Job[str]) -> str:
        await gate.wait()
        return job.data

    second = timedelta(seconds=1)
    async with Proxy(redis_url, chance=0).serve() as proxy:
        parted = Application(declared(), settings=settings_of(proxy.url, prefix, timeout=second))
        async with working(open_app(run)), parted, anyio.create_task_group() as tasks:
            queue = parted.queue("demo")
            job = await queue.add("str", "before")
            results: list[object] = []

            async def wait() -> None:
                results.append(await queue.result(job))

            tasks.start_soon(wait)
            await until(lambda: proxy.is_blocked_on("XREAD"), message="somebody waits")
            proxy.part()
            began = Stopwatch()
            with pytest.raises(RedisUnavailableError, match="no answer in time"):
                await queue.add("str", "during")
            with pytest.raises(RedisUnavailableError):
                await queue.counts()
            told = began.seconds
            gate.set()

            proxy.heal()
            healed = Stopwatch()
            after = await queue.add("str", "after")
            assert await queue.result(after) == "after"
            back = healed.seconds

    assert results == ["before"]
    assert told < 2 * 1.5
    assert back < MOST_SECONDS
