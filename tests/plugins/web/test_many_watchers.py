"""Many clients at once, and many that come and go: nothing is missed, nothing is left of them."""

import gc
from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest
from pydantic import BaseModel

from framework import Context, Job
from framework.app.application import Application
from framework.store.store import Store
from framework_web import task
from framework_web.desk import Desk
from framework_web.door import DESKS
from tests.plugins.web.raw import line_to
from tests.plugins.web.serving import gate, serving
from tests.support.apps import Open
from tests.support.until import until
from tests.support.watchers import Heard, follow

TASKS, CLIENTS, REPORTS = 10, 120, 8
VISITS, AT_ONCE = 500, 50


class Plan(BaseModel):
    go: str


@task("tick", concurrency=TASKS)
async def tick(job: Job[Plan], ctx: Context) -> None:
    await gate(job.data.go).wait()
    for number in range(REPORTS):
        await ctx.progress({"percentage": 0, "number": number, "at": 0})


@pytest.fixture
def app(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> Application:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    monkeypatch.setenv("FRAMEWORK_WEB_RATE_LIMIT", "0")
    return open_app(tick, plugins=("web",))


@pytest.fixture
async def web(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(app) as client:
        yield client


def desk_of(app: Application) -> Desk:
    return DESKS[app]


async def begun(web: httpx2.AsyncClient, go: str) -> str:
    """Start a task; return where its events are."""
    answer = await web.post("/tasks/tick", json={"go": go})
    return str(answer.json()["links"]["events"])


async def test_many_clients_hear_all_of_their_tasks_in_order(
    app: Application, web: httpx2.AsyncClient, prefix: str
) -> None:
    paths = [await begun(web, prefix) for _ in range(TASKS)]
    heard = [Heard() for _ in range(CLIENTS)]

    async with anyio.create_task_group() as tasks:
        for number, one in enumerate(heard):
            tasks.start_soon(follow, web.base_url.port or 0, paths[number % TASKS], one)
        await until(
            lambda: all(one.is_following for one in heard), timeout=20, message="all follow"
        )
        gate(prefix).set()

    for one in heard:
        assert one.numbers == list(range(REPORTS))
        assert (one.names[0], one.names[-1]) == ("snapshot", "completed")
    assert desk_of(app).streams.clients == 0


async def visit(web: httpx2.AsyncClient, path: str) -> None:
    """Open a stream, hear its first event, and leave without a word."""
    async with line_to(web) as line:
        await line.send(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        heard = b""
        while b"retry:" not in heard:
            heard += await line.receive()


async def test_five_hundred_that_come_and_go_leave_nothing(
    app: Application, web: httpx2.AsyncClient, store: Store, prefix: str
) -> None:
    path = await begun(web, prefix)

    async def come_and_go() -> None:
        for first in range(0, VISITS, AT_ONCE):
            async with anyio.create_task_group() as tasks:
                for number in range(first, first + AT_ONCE):
                    tasks.start_soon(visit, web, path if number % 5 else "/events?types=tick")

    async def nothing_is_left() -> bool:
        return desk_of(app).streams.clients == 0 and not await readers(store)

    async def count() -> tuple[int, int, int]:
        await until(nothing_is_left, timeout=20, message="nobody follows any more")
        clients = (await store.command("CLIENT", "LIST", "TYPE", "normal")).decode()
        for _ in range(3):
            gc.collect()
            await anyio.lowlevel.checkpoint()
        tasks, objects = len(anyio.get_running_tasks()), len(gc.get_objects())
        return tasks, len(clients.splitlines()), objects

    await come_and_go()
    before = await count()
    await come_and_go()
    after = await count()

    gate(prefix).set()
    # Not one task, connection or object for each visit: a few come and go by themselves.
    for one, other, most in zip(after, before, (5, 5, VISITS), strict=True):
        assert one - other < most, (before, after)


async def readers(store: Store) -> list[str]:
    """The connections that wait for events of queues."""
    told = (await store.command("CLIENT", "LIST", "TYPE", "normal")).decode()
    return [one for one in told.splitlines() if "cmd=xread" in one and "flags=b" in one]
