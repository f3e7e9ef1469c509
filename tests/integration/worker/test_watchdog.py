"""A worker that is alive and takes nothing is noticed, helped, and else not ready."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import BaseModel
from structlog.testing import capture_logs

from framework import Job, JobState, processor
from framework.app.application import Application
from framework.errors import StuckError
from framework.store.line_look import LINE_LOOK
from framework.store.transitions.exchange import EXCHANGE
from tests.support.apps import Open, declared, settings_of, working
from tests.support.proxy import Proxy
from tests.support.until import until

CALL = f"EVALSHA {EXCHANGE.sha}"
LOOK = f"EVALSHA {LINE_LOOK.sha}"
SOON = timedelta(milliseconds=300)


class Number(BaseModel):
    number: int


def taking(ran: list[int]) -> Any:  # noqa: ANN401 - a processor
    @processor("demo")
    async def take(job: Job[Number]) -> None:
        ran.append(job.data.number)

    return take


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[Proxy]:
    async with Proxy(redis_url, chance=0).serve() as proxy:
        yield proxy


def behind(proxy: Proxy, prefix: str, ran: list[int], **settings: object) -> Application:
    """An application whose Redis is behind the proxy."""
    told = settings_of(proxy.url, prefix, watchdog=SOON, **settings)
    return Application(declared(taking(ran)), settings=told)


async def is_looked_at(proxy: Proxy, often: int) -> None:
    """Wait until the queue was looked at so many times more."""
    enough = proxy.requests[LOOK] + often
    await until(lambda: proxy.requests[LOOK] >= enough, message="looks at the queue")


def alarms(logs: list[Any]) -> list[Any]:
    return [one for one in logs if one["log_level"] in {"error", "critical"}]


async def test_a_dead_connection_is_made_anew_long_before_its_deadline(
    proxy: Proxy, prefix: str, open_app: Open
) -> None:
    ran: list[int] = []
    app, adding = behind(proxy, prefix, ran), open_app(taking([]))

    async with adding, working(app):
        with capture_logs() as logs:
            await until(lambda: proxy.replies[CALL] > 0, message="its connection is in use")
            proxy.lose(CALL)
            await (await adding.producer(Number)).add(Number(number=1))
            await until(lambda: ran == [1], message="the job ran")
        await until(lambda: is_done(adding, "1"), message="it completed")

    told = alarms(logs)[0]
    assert told["event"].startswith("jobs wait and slots are free, but nothing is fetched")
    assert (told["queue"], told["why"]) == ("demo", "its call has had no answer")
    assert (told["waiting"], told["next_job"]) == (1, "1")


async def is_done(app: Application, job_id: str) -> bool:
    return await app.queue("demo").state(job_id) is JobState.COMPLETED


async def test_what_new_connections_do_not_mend_is_not_ready_until_it_is_over(
    proxy: Proxy, prefix: str, open_app: Open
) -> None:
    ran: list[int] = []
    app, adding = behind(proxy, prefix, ran), open_app(taking([]))

    async with adding, working(app):
        assert (await app.health()).is_ready
        proxy.lose(CALL, for_ever=True)
        await (await adding.producer(Number)).add(Number(number=1))
        problem = await until(lambda: not_ready(app), message="it says that it is stuck")
        proxy.heal()
        await until(lambda: ran == [1], timeout=15, message="the job ran")
        await until(lambda: is_ready(app), message="it is ready again")

    assert problem == 'queue "demo": jobs wait, slots are free, nothing is fetched'


async def not_ready(app: Application) -> str:
    return " ".join((await app.health()).problems)


async def is_ready(app: Application) -> bool:
    return (await app.health()).is_ready


async def test_who_wants_to_be_started_anew_ends_when_stuck(
    proxy: Proxy, prefix: str, open_app: Open
) -> None:
    app = behind(proxy, prefix, [], exit_when_stuck=True, shutdown_timeout=timedelta(0))
    adding = open_app(taking([]))

    async with adding, app:
        with pytest.raises(ExceptionGroup) as raised:  # noqa: PT012 - the whole life of the workers
            async with anyio.create_task_group() as tasks:
                await tasks.start(app.work)
                proxy.lose(CALL, for_ever=True)
                await (await adding.producer(Number)).add(Number(number=1))
                await until(lambda: app.vitals.known().phase == "stopping", message="it stops")
                proxy.heal()

    assert raised.group_contains(StuckError)


async def hinder(app: Application, how: str) -> None:
    queue = app.queue("demo")
    if how == "paused":
        await queue.pause()
    elif how == "rate limit":
        await queue.rate_limit(timedelta(minutes=1))
    else:
        await queue.set_global_concurrency(1)


@pytest.mark.parametrize("how", ["paused", "rate limit", "global concurrency"])
async def test_what_is_held_up_on_purpose_is_no_alarm(
    proxy: Proxy, prefix: str, open_app: Open, how: str
) -> None:
    gate, ran = anyio.Event(), list[int]()

    @processor("demo")
    async def hold(job: Job[Number]) -> None:
        await gate.wait()

    app, other = behind(proxy, prefix, ran), open_app(hold)

    async with working(other):
        producer = await other.producer(Number)
        await producer.add(Number(number=1))
        await until(lambda: other.running == 1, message="the other one runs it")
        await hinder(other, how)
        await producer.add(Number(number=2))
        async with working(app):
            with capture_logs() as logs:
                await is_looked_at(proxy, 10)
            (seen,) = (await app.health()).queues
        gate.set()

    assert (seen.hindrance, seen.waiting, seen.is_stuck) == (how, 1, False)
    assert (alarms(list(logs)), ran) == ([], [])


async def test_a_worker_with_nothing_to_do_is_no_alarm(proxy: Proxy, prefix: str) -> None:
    app = behind(proxy, prefix, [])

    async with working(app):
        with capture_logs() as logs:
            await is_looked_at(proxy, 10)

    assert alarms(list(logs)) == []
