"""What happens to tasks is told to callbacks, whoever adds and works them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from framework import Application, Context, Job, UnrecoverableError
from framework_web import TaskId, TaskProgress, Tasks, TaskState, TaskUpdate
from tests.support.apps import Open
from tests.support.until import until

SOON = timedelta(seconds=5)
AT_ONCE = timedelta(milliseconds=1)


class Heard:
    """A callback that notes what it is told."""

    def __init__(self) -> None:
        self.all: list[tuple[str, TaskId, TaskUpdate]] = []

    def __call__(self, type: str, id: TaskId, update: TaskUpdate) -> None:
        self.all.append((type, id, update))

    def of(self, id: str) -> list[str]:
        return [update.event for _, about, update in self.all if about == id]

    def last(self, id: str) -> TaskUpdate:
        return next(update for _, about, update in reversed(self.all) if about == id)

    async def ended(self, id: str) -> list[str]:
        await until(lambda: self.of(id)[-1:] in (["completed"], ["failed"], ["removed"]))
        return self.of(id)


async def work(job: Job[Any], ctx: Context) -> Any:  # noqa: ANN401 - JSON
    match job.data:
        case "fail":
            raise UnrecoverableError("no use")
        case "fail once" if job.attempts_made == 0:
            raise ValueError("not yet")
        case "report":
            await ctx.progress(10)
            await ctx.progress(TaskProgress(current=1, total=2))
        case "nap" if job.attempts_started == 1:
            await ctx.delay_for(AT_ONCE)
    return job.data


@pytest.fixture
async def app(open_app: Open) -> AsyncIterator[Application]:
    async with open_app() as app:
        yield app


@pytest.fixture
async def tasks(app: Application) -> Tasks:
    tasks = await app.get(Tasks)
    await tasks.register("work", work)
    return tasks


async def test_every_event_and_all_progress_is_told_in_order(tasks: Tasks) -> None:
    heard = Heard()
    await tasks.on_update(heard)
    id = await tasks.add("work", "report")

    told = await heard.ended(id)

    assert told == ["added", "waiting", "active", "progress", "progress", "completed"]
    updates = [update for _, _, update in heard.all]
    assert [one.progress for one in updates[3:5]] == [10, TaskProgress(50, 1, 2)]
    assert (updates[-1].result, updates[-1].state) == ("report", TaskState.COMPLETED)
    assert {type for type, _, _ in heard.all} == {"work"}
    assert {about.type for _, about, _ in heard.all} == {"work"}
    ids = [one.event_id for one in updates]
    assert ids == sorted(ids, key=lambda one: tuple(map(int, one.split("-"))))


async def test_an_attempt_that_is_not_the_last_is_a_retry(app: Application, tasks: Tasks) -> None:
    heard = Heard()
    await tasks.on_update(heard)
    delayed = await tasks.add("work", "fail once", backoff=timedelta(hours=1))
    at_once = await tasks.add("work", "fail once", backoff=timedelta(0))
    final = await tasks.add("work", "fail")
    await until(lambda: "retrying" in heard.of(delayed), message="its retry waits")
    await app.queue("work").promote_job(delayed)

    for id in (delayed, at_once):
        told = await heard.ended(id)
        assert [one for one in told if one != "waiting"] == [
            "added",
            "active",
            "retrying",
            "active",
            "completed",
        ]
        (retry,) = (one for _, about, one in heard.all if about == id and one.event == "retrying")
        assert (retry.state, retry.error) == ("retrying", "not yet")
        assert (retry.due_at is not None) == (id == delayed)
        if id == delayed:  # the other one may have gone on meanwhile
            assert retry.attempts_made == 1
    assert "retrying" not in await heard.ended(final)
    assert (heard.last(final).error, heard.last(final).state) == ("no use", TaskState.FAILED)


async def test_a_job_that_goes_on_later_is_no_retry(tasks: Tasks) -> None:
    heard = Heard()
    await tasks.on_update(heard)

    told = await heard.ended(await tasks.add("work", "nap", delay=AT_ONCE))

    assert "retrying" not in told
    assert told.count("active") == 2


async def test_a_pause_an_abort_a_deletion_and_a_delay_are_told(
    app: Application, tasks: Tasks
) -> None:
    heard = Heard()
    await tasks.register("idle")
    await tasks.on_update(heard)
    id = await tasks.add("idle", delay=timedelta(hours=1))
    await tasks.pause(id)
    await tasks.resume(id)
    await tasks.remove(id)
    await tasks.remove(id)

    await until(lambda: "removed" in heard.of(id))

    assert heard.of(id) == ["added", "waiting", "paused", "waiting", "failed", "removed"]
    updates = [update for _, _, update in heard.all]
    found = updates[1].due_at
    assert found is not None
    assert found > found.now(found.tzinfo) + timedelta(minutes=59)
    assert [one.state for one in updates][2:] == ["paused", "waiting", "failed", None]
    assert updates[4].error == "cancelled"


async def test_async_callbacks_are_awaited_one_update_after_the_other(tasks: Tasks) -> None:
    told: list[str] = []

    async def slowly(type: str, id: TaskId, update: TaskUpdate) -> None:
        told.append(f"{update.event} begins")
        await anyio.sleep(0.001)
        told.append(f"{update.event} ends")

    await tasks.on_update(slowly)
    await tasks.wait(await tasks.add("work", 1), SOON)
    await until(lambda: "completed ends" in told)

    assert told[::2] == [f"{one} begins" for one in ("added", "waiting", "active", "completed")]
    assert told[1::2] == [f"{one} ends" for one in ("added", "waiting", "active", "completed")]


async def raise_later(type: str, id: TaskId, update: TaskUpdate) -> None:
    await anyio.lowlevel.checkpoint()
    raise RuntimeError("mine")


def raise_at_once(type: str, id: TaskId, update: TaskUpdate) -> None:
    raise RuntimeError("mine")


@pytest.mark.parametrize("bad", [raise_at_once, raise_later])
async def test_a_callback_that_raises_disturbs_nobody_and_is_logged(
    tasks: Tasks,
    capsys: pytest.CaptureFixture[str],
    bad: Callable[[str, TaskId, TaskUpdate], Awaitable[None] | None],
) -> None:
    heard = Heard()
    await tasks.on_update(bad)
    await tasks.on_update(heard)

    for number in range(2):
        id = await tasks.add("work", number)
        assert await heard.ended(id) == ["added", "waiting", "active", "completed"]

    assert "a callback of on_update raised" in capsys.readouterr().out


async def test_who_unsubscribed_is_called_no_more(tasks: Tasks) -> None:
    heard, other = Heard(), Heard()
    unsubscribe = await tasks.on_update(heard)
    await tasks.on_update(other)
    await other.ended(await tasks.add("work", 1))
    before = list(heard.all)

    unsubscribe()
    unsubscribe()
    await other.ended(await tasks.add("work", 2))
    await tasks.register("later", work)
    await other.ended(await tasks.add("later", 3))

    assert heard.all == before


async def test_a_callback_may_unsubscribe_itself(tasks: Tasks) -> None:
    told: list[str] = []

    def once(type: str, id: TaskId, update: TaskUpdate) -> None:
        told.append(update.event)
        unsubscribe()

    unsubscribe = await tasks.on_update(once)
    heard = Heard()
    await tasks.on_update(heard)
    await heard.ended(await tasks.add("work", 1))

    assert told == ["added"]


async def test_types_that_are_registered_later_are_heard_too(tasks: Tasks) -> None:
    heard = Heard()
    await tasks.on_update(heard)
    await tasks.register("later", work)

    id = await tasks.add("later", 1)

    assert await heard.ended(id) == ["added", "waiting", "active", "completed"]
    assert heard.all[0][0] == "later"


async def test_many_callbacks_cost_one_connection(app: Application, tasks: Tasks) -> None:
    async def connections() -> int:
        found: bytes = await app.store.command("CLIENT", "LIST")
        return found.count(b"cmd=xread")

    before = await connections()
    ends = [await tasks.on_update(Heard()) for _ in range(20)]
    heard = Heard()
    ends.append(await tasks.on_update(heard))
    await heard.ended(await tasks.add("work", 1))

    assert await connections() - before <= 1
    for end in ends:
        end()


async def test_updates_go_on_after_what_kept_them_from_being_read(
    app: Application, tasks: Tasks, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = Heard()
    await tasks.register("idle")
    await tasks.on_update(heard)
    stream = f"{app.settings.prefix}:idle:events"
    await app.store.command("SET", stream, "no stream")
    await until(lambda: "cannot be read now" in capsys.readouterr().out)
    await app.store.command("DEL", stream)

    id = await tasks.add("idle", 1)

    await until(lambda: heard.of(id) == ["added", "waiting"])


async def test_two_hundred_subscriptions_leave_nothing_behind(
    app: Application, tasks: Tasks
) -> None:
    async def settled(count: int) -> bool:
        return len(anyio.get_running_tasks()) <= count

    (await tasks.on_update(Heard()))()
    await until(lambda: settled(len(anyio.get_running_tasks())))
    await anyio.lowlevel.checkpoint()
    before = len(anyio.get_running_tasks())
    for _ in range(200):
        unsubscribe = await tasks.on_update(Heard())
        unsubscribe()

    await until(lambda: settled(before), message="no task of a subscription is left")
