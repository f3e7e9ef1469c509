"""Clients that take nothing, Redis that goes away: nobody else notices, nothing is left behind."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta

import anyio
import httpx2
import pytest
from anyio import to_thread
from structlog.testing import capture_logs

from framework import Context, Job
from framework.app.application import Application
from framework.server import EmbeddedServer
from framework_web import task
from framework_web.client import TaskClient
from framework_web.sse import SLOW_SECONDS
from tests.plugins.web.raw import line_to
from tests.plugins.web.serving import events_of, gate, serving
from tests.support.apps import Open, declared, settings_of
from tests.support.loop_clock import LoopClock
from tests.support.until import until

MESSAGE = "x" * 50_000


@task("talk", concurrency=5)
async def talk(job: Job[int], ctx: Context) -> int:
    for number in range(job.data):
        await ctx.progress({"percentage": 0, "message": MESSAGE, "number": number})
    return job.data


@task("steps", concurrency=5)
async def steps(job: Job[str], ctx: Context) -> str:
    await ctx.progress(10)
    await gate(job.data).wait()
    await ctx.progress(90)
    return "done"


@pytest.fixture
def app(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> Application:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    return open_app(talk, plugins=("web",))


@pytest.fixture
async def web(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(app) as client:
        yield client


async def is_idle(web: httpx2.AsyncClient) -> bool:
    (kind,) = (await web.get("/tasks")).json()["types"]
    return bool(kind["counts"]["completed"])


async def test_who_takes_nothing_is_dropped_with_a_reason_and_others_hear_all(
    loop_clock: LoopClock, web: httpx2.AsyncClient
) -> None:
    await TaskClient(str(web.base_url.join("/tasks")), http=web).start("talk", 0)
    await until(lambda: is_idle(web), message="the worker has run one")
    idle = {one.id for one in anyio.get_running_tasks()}

    def dropped() -> list[str]:
        return [one["path"] for one in logs if "slow client dropped" in one["event"]]

    with capture_logs() as logs:
        async with line_to(web) as deaf:
            await deaf.send(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await deaf.receive(12)) == b"HTTP/1.1 200"
            at = (await web.post("/tasks/talk", json=400)).headers["location"]
            async with web.stream("GET", f"{at}/events") as answer:
                heard = [event async for event in events_of(answer)]
            loop_clock.forward(SLOW_SECONDS + 1)
            await until(dropped, message="it is dropped")

    numbers = [one.data["number"] for one in heard if one.name == "progress"]
    assert numbers == list(range(numbers[0], 400))
    assert heard[-1].name == "completed"
    assert dropped() == ["/events/"]

    def left() -> list[str]:
        return [str(one) for one in anyio.get_running_tasks() if one.id not in idle]

    await until(lambda: not left(), message="its tasks are gone")


async def test_a_stream_goes_on_when_redis_is_back(
    private_server: EmbeddedServer, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    address = await to_thread.run_sync(private_server.start)
    settings = settings_of(address.url, prefix, plugins=("web",), timeout=timedelta(seconds=0.5))
    with capture_logs() as logs:
        async with serving(Application(declared(steps), settings=settings)) as web:
            tasks = TaskClient(str(web.base_url.join("/tasks")), http=web)
            started = await tasks.start("steps", prefix)
            percentages: list[float | None] = []
            refused = httpx2.Response(200)
            with anyio.fail_after(30):
                async with aclosing(started.events()) as events:
                    async for event in events:
                        percentages.append(event.view.percentage)
                        if event.view.percentage == 10 and not gate(prefix).is_set():
                            os.kill(address.pid, signal.SIGKILL)
                            refused = await web.get("/tasks")
                            address = await to_thread.run_sync(private_server.start)
                            gate(prefix).set()

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert percentages[-1] == 90
    assert event.view.status == "completed"
    assert not [one for one in logs if one["event"] == "request failed"]
