"""A key of a queue is of the wrong type: it is named once, and no other queue suffers from it."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from framework import Job, processor
from framework.errors import KeyTypeError
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.until import until


@processor("demo")
async def demo(job: Job[int]) -> int:
    return job.data


@processor("other")
async def other(job: Job[str]) -> str:
    return job.data


@pytest.mark.parametrize("word", ["meta", "delayed", "marker"])
async def test_the_other_queues_go_on_and_this_one_does_once_the_key_is_gone(
    open_app: Open, store: Store, keys: QueueKeys, word: str
) -> None:
    key = keys[word]
    await store.command("SET", key, "odd")
    app = open_app(demo, other)

    with capture_logs() as logs:
        async with working(app):
            await until(lambda: named(logs), message="the key is named")
            for n in range(2):
                job = await app.queue("other").add("str", f"{n}")
                assert await app.queue("other").result(job) == f"{n}"
            health = await app.health()
            await store.command("DEL", key)
            await until(lambda: "right types again" in events(logs), message="it is mended")
            mine = await app.queue("demo").add("int", 5)
            assert await app.queue("demo").result(mine) == 5
            well = await app.health()

    (told,) = named(logs)
    assert (told["key"], told["type"], told["queue"]) == (key, "string", "demo")
    assert f"RENAME {key}" in told["fix"]
    assert "redis lost" not in events(logs)
    assert not health.is_ready
    (problem,) = health.problems
    assert problem.startswith(f'queue "demo": {key} is a string')
    assert health.redis.error is None
    assert well.is_ready


def named(logs: list[Any]) -> list[Any]:
    return [one for one in logs if "of the wrong type" in one["event"]]


def events(logs: list[Any]) -> str:
    return " ".join(one["event"] for one in logs)


async def test_schedules_over_an_odd_key_are_no_outage_either(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    await store.command("SET", keys["repeat_set"], "odd")

    async with open_app() as app:
        with pytest.raises(KeyTypeError, match="is not of the type"):
            await app.queue("demo").job_schedulers()
        assert app.store.outage.error is None
