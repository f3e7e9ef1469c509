"""Tasks as application code uses them: started, looked at, stopped, waited for."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from framework import (
    Application,
    Context,
    DeclarationError,
    Effect,
    Job,
    JobFailedError,
    JobNotFoundError,
    KeepJobs,
    OptionsError,
    ResultTimeoutError,
    WrongStateError,
)
from framework_web import TaskId, TaskProgress, Tasks, TaskState, TaskType, task
from tests.support.apps import Open, working
from tests.support.until import until

SOON = timedelta(seconds=5)
AT_ONCE = timedelta(milliseconds=1)
EMPTY = timedelta(0)


class Picture(BaseModel):
    width: int


@task("thumbnail", attempts=2, backoff=AT_ONCE)
async def thumbnail(job: Job[Picture], ctx: Context) -> str:
    await ctx.progress(TaskProgress(50, message="half way"))
    return f"{job.data.width} px"


async def echo(job: Job[Any]) -> Any:  # noqa: ANN401 - JSON
    if job.data == "fail":
        raise ValueError(f"attempt {job.attempts_made + 1}")
    return job.data


@pytest.fixture
async def app(open_app: Open) -> AsyncIterator[Application]:
    async with open_app() as app:
        yield app


@pytest.fixture
async def tasks(app: Application) -> Tasks:
    return await app.get(Tasks)


async def state_of(tasks: Tasks, id: str) -> TaskState | None:
    found = await tasks.get(id)
    return found.state if found else None


async def failed(tasks: Tasks, **options: Any) -> TaskId:  # noqa: ANN401 - options
    id = await tasks.add("echo", "fail", backoff=AT_ONCE, **options)
    with pytest.raises(JobFailedError):
        await tasks.wait(id, SOON)
    return id


async def test_a_declared_task_is_worked_and_has_the_defaults_of_its_type(open_app: Open) -> None:
    app = open_app(thumbnail)
    async with working(app):
        tasks = await app.get(Tasks)
        id = await tasks.add("thumbnail", Picture(width=7))

        assert await tasks.wait(id, SOON) == "7 px"
        found = await tasks.get(id)

        assert found is not None
        assert (found.id, found.type, found.state) == (id, "thumbnail", TaskState.COMPLETED)
        assert found.data == {"width": 7}
        assert found.progress == TaskProgress(50, message="half way")
        assert (found.result, found.error) == ("7 px", None)
        assert (found.attempts_made, found.attempts) == (1, 2)
        assert found.started_at is not None
        assert found.finished_at is not None
        assert found.added_at <= found.started_at <= found.finished_at


async def test_the_defaults_hold_unless_a_type_or_a_job_says_otherwise(
    app: Application, tasks: Tasks
) -> None:
    plain = await tasks.register("plain")
    own = await tasks.register("own", queue="its-own", attempts=9)
    first, second = await tasks.add("plain"), await tasks.add("own", attempts=4, priority=3)

    job, other = await app.queue("plain").job(first), await app.queue("its-own").job(second)
    assert job is not None
    assert other is not None
    assert (job.name, other.name) == ("plain", "own")
    assert (job.attempts, other.attempts, other.priority) == (3, 4, 3)
    opts = await app.store.command("HGET", f"{app.settings.prefix}:plain:{first}", "opts")
    for part in (
        b'"attempts":3',
        b'"backoff":{"type":"exponential","delay":2000}',
        b'"removeOnComplete":10',
        b'"removeOnFail":5',
    ):
        assert part in opts
    assert tasks.types == (plain, own)
    assert (plain.queue, own.queue, own.defaults["attempts"]) == ("plain", "its-own", 9)


async def test_the_newest_ten_completed_and_five_failed_are_kept(
    app: Application, tasks: Tasks
) -> None:
    await tasks.register("echo", echo)
    ids = [await tasks.add("echo", number) for number in range(12)]
    assert [await tasks.wait(id, SOON) for id in ids] == list(range(12))
    for _ in range(6):
        await failed(tasks, attempts=1)

    counts = await app.queue("echo").counts()
    assert (counts["completed"], counts["failed"]) == (10, 5)  # type: ignore[index]


async def test_a_type_and_a_job_say_how_to_be_tried_and_kept(
    app: Application, tasks: Tasks
) -> None:
    await tasks.register("slow", backoff=timedelta(seconds=7), remove_on_complete=KeepJobs(count=1))
    of_type = await tasks.add("slow")
    of_job = await tasks.add("slow", backoff=AT_ONCE, remove_on_complete=True, remove_on_fail=False)

    async def opts_of(id: str) -> Any:  # noqa: ANN401 - JSON
        key = f"{app.settings.prefix}:slow:{id}"
        return json.loads(await app.store.command("HGET", key, "opts"))

    first, second = await opts_of(of_type), await opts_of(of_job)
    assert (first["backoff"]["delay"], first["backoff"]["type"]) == (7000, "fixed")
    assert (first["removeOnComplete"], first["removeOnFail"]) == (1, 5)
    assert second["backoff"]["delay"] == 1
    assert (second["removeOnComplete"], second["removeOnFail"]) == (True, False)


@pytest.mark.parametrize(("options", "at_once"), [({}, 3), ({"concurrency": 1}, 1)])
async def test_three_jobs_of_a_type_run_at_once_unless_it_says_otherwise(
    tasks: Tasks, options: dict[str, int], at_once: int
) -> None:
    running, most, may_end = 0, 0, anyio.Event()

    async def count(job: Job[int]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await may_end.wait()
        running -= 1

    await tasks.register("count", count, **options)  # type: ignore[arg-type]
    ids = [await tasks.add("count", n) for n in range(5)]
    await until(lambda: running == at_once)
    may_end.set()
    for id in ids:
        await tasks.wait(id, SOON)

    assert most == at_once


async def test_a_second_registration_gives_the_first_and_no_second_worker(
    app: Application, tasks: Tasks
) -> None:
    def module() -> Any:  # noqa: ANN401 - what a reload gives: another function of the same name
        async def work(job: Job[int]) -> int:
            return job.data

        return work

    first = await tasks.register("work", module(), attempts=7)
    second = await tasks.register("work", module(), attempts=8)

    assert second is first
    assert len(app.workers.started) == 1
    assert await tasks.wait(await tasks.add("work", 5), SOON) == 5


async def test_registering_at_the_same_time_starts_one_worker(
    app: Application, tasks: Tasks
) -> None:
    kinds: list[TaskType] = []

    async def register() -> None:
        kinds.append(await tasks.register("echo", echo))

    async with anyio.create_task_group() as several:
        for _ in range(5):
            several.start_soon(register)

    assert len({id(kind) for kind in kinds}) == 1
    assert len(app.workers.started) == 1


async def test_registering_a_declared_type_gives_the_declared_one(open_app: Open) -> None:
    app = open_app(thumbnail)
    async with working(app):
        tasks = await app.get(Tasks)

        kind = await tasks.register("thumbnail", echo, attempts=9)

        assert kind.defaults["attempts"] == 2
        assert app.workers.started == ()
        assert await tasks.wait(await tasks.add("thumbnail", Picture(width=7)), SOON) == "7 px"


async def test_a_stopped_type_stays_known_and_can_be_worked_again(
    app: Application, tasks: Tasks
) -> None:
    await tasks.register("echo", echo)
    await tasks.unregister("echo")
    await tasks.unregister("echo")
    id = await tasks.add("echo", 1)

    assert app.workers.started == ()
    assert await state_of(tasks, id) == TaskState.WAITING
    await tasks.register("echo", echo)
    assert await tasks.wait(id, SOON) == 1


@pytest.mark.parametrize("name", ["", "a/b", "a b", "-a", 7])
async def test_what_no_task_can_be_called_is_refused(tasks: Tasks, name: str) -> None:
    with pytest.raises(DeclarationError, match="no task can be called"):
        await tasks.register(name)
    with pytest.raises(DeclarationError, match="no task can be called"):
        task(name)


async def test_a_queue_is_of_one_type_and_a_type_of_one_queue(open_app: Open) -> None:
    @task("other", queue="thumbnail")
    async def other(job: Job[int]) -> None: ...

    async with open_app(thumbnail) as app:
        tasks = await app.get(Tasks)
        with pytest.raises(DeclarationError, match='is that of the task type "thumbnail"'):
            await tasks.register("copy", queue="thumbnail")
        with pytest.raises(DeclarationError, match='has the queue "thumbnail" already'):
            await tasks.register("thumbnail", queue="copy")
        # What is declared is worked by the package's workers: none is started here.
        assert isinstance(await tasks.register("thumbnail", echo), TaskType)
        assert app.workers.started == ()


async def test_an_unknown_type_is_refused_by_name(tasks: Tasks) -> None:
    await tasks.register("echo")

    with pytest.raises(OptionsError, match="no task type 'eco'; there are: echo"):
        await tasks.add("eco")
    with pytest.raises(OptionsError, match="no task type"):
        await tasks.dead_letters("eco")


async def test_an_id_of_ones_own_starts_one_task(tasks: Tasks) -> None:
    await tasks.register("echo")
    first = await tasks.add("echo", 1, job_id="order-5")
    second = await tasks.add("echo", 2, job_id="order-5")
    found = await tasks.get("order-5")

    assert first == second == "order-5"
    assert found is not None
    assert (found.data, found.id.type) == (1, "echo")


async def test_the_text_of_an_id_is_searched_in_all_types(tasks: Tasks) -> None:
    await tasks.register("one")
    await tasks.register("two")
    id = await tasks.add("two", 2)
    for type in ("one", "two"):
        await tasks.add(type, type, job_id="same")

    found = await tasks.get(str(id))
    assert found is not None
    assert found.type == "two"
    with pytest.raises(OptionsError, match="several types have the id 'same': one, two"):
        await tasks.get("same")
    named = await tasks.get("same", type="one")
    assert named is not None
    assert named.data == "one"
    assert await tasks.get("not-there") is None
    assert await tasks.get("not-there", type="one") is None
    with pytest.raises(JobNotFoundError):
        await tasks.remove("not-there")


async def test_a_delayed_task_waits_and_says_until_when(tasks: Tasks) -> None:
    await tasks.register("echo")
    id = await tasks.add("echo", delay=timedelta(hours=1))
    found = await tasks.get(id)

    assert found is not None
    assert (found.state, found.due_at) == ("waiting", found.added_at + timedelta(hours=1))


async def test_between_two_attempts_a_task_is_retrying_and_only_then_failed(tasks: Tasks) -> None:
    await tasks.register("echo", echo)
    id = await tasks.add("echo", "fail", attempts=2, backoff=timedelta(seconds=0.2))
    await until(lambda: is_in(tasks, id, TaskState.RETRYING))
    found = await tasks.get(id)

    assert found is not None
    assert (found.attempts_made, found.error) == (1, "attempt 1")
    assert found.due_at is not None
    assert found.finished_at is None
    with pytest.raises(JobFailedError, match="attempt 2"):
        await tasks.wait(id, SOON)
    assert await state_of(tasks, id) == TaskState.FAILED


async def is_in(tasks: Tasks, id: str, state: TaskState) -> bool:
    return await state_of(tasks, id) == state


async def test_removing_aborts_what_runs_and_what_waits_and_deletes_what_ended(
    tasks: Tasks,
) -> None:
    async def hang(job: Job[int]) -> None:
        await anyio.sleep_forever()

    await tasks.register("hang", hang, concurrency=1)
    runs = await tasks.add("hang", 1)
    await until(lambda: is_in(tasks, runs, TaskState.ACTIVE))
    waits = await tasks.add("hang", 2)

    assert await tasks.remove(waits) is Effect.DONE
    assert await tasks.remove(runs) is Effect.ASKED
    for id in (waits, runs):
        with pytest.raises(JobFailedError, match="cancelled"):
            await tasks.wait(id, SOON)
    assert await tasks.remove(runs) is Effect.DONE
    assert await tasks.get(runs) is None


async def test_a_paused_task_goes_on_when_it_is_resumed(tasks: Tasks) -> None:
    await tasks.register("echo")
    id = await tasks.add("echo", 5)

    assert await tasks.pause(id) is Effect.DONE
    held = await tasks.get(id)
    assert held is not None
    assert (held.state, held.due_at) == (TaskState.PAUSED, None)
    await tasks.register("echo", echo)
    with pytest.raises(ResultTimeoutError):
        await tasks.wait(id, timedelta(seconds=0.05))
    await tasks.resume(id)

    assert await tasks.wait(id, SOON) == 5
    with pytest.raises(WrongStateError):
        await tasks.pause(id)


async def test_dead_letters_tell_all_and_are_retried_one_or_all(
    app: Application, tasks: Tasks
) -> None:
    await tasks.register("echo", echo)
    ids = [await failed(tasks, attempts=2) for _ in range(3)]

    letters = await tasks.dead_letters("echo")

    assert [one.id for one in letters] == ids[::-1]
    newest = letters[0]
    assert (newest.data, newest.reason, newest.attempts_made) == ("fail", "attempt 2", 2)
    assert len(newest.stack) == 2
    assert "ValueError: attempt 1" in newest.stack[0]
    assert newest.failed_at is not None
    assert [one.id for one in await tasks.dead_letters("echo", 1, 1)] == [ids[1]]

    await tasks.unregister("echo")
    await tasks.retry(ids[0])
    found = await tasks.get(ids[0])
    assert found is not None
    assert (found.state, found.attempts_made, found.error) == ("waiting", 0, None)
    assert await tasks.retry_all("echo") == 2
    assert await tasks.dead_letters("echo") == []
    assert (await app.queue("echo").counts())["waiting"] == 3  # type: ignore[index]
    with pytest.raises(WrongStateError):
        await tasks.retry(ids[0])


async def test_waiting_gives_up_in_time_and_leaves_the_task_alone(tasks: Tasks) -> None:
    await tasks.register("echo")
    id = await tasks.add("echo", 5)

    with pytest.raises(ResultTimeoutError):
        await tasks.wait(id, timedelta(seconds=0.02))

    assert await state_of(tasks, id) == TaskState.WAITING
    await tasks.register("echo", echo)
    assert await tasks.wait(id, SOON) == 5
    assert await tasks.wait(id, EMPTY + SOON) == 5  # at once: it is final


async def test_waiting_for_a_removed_task_raises(app: Application, tasks: Tasks) -> None:
    await tasks.register("echo")
    id = await tasks.add("echo", 5)

    async with anyio.create_task_group() as background:
        background.start_soon(app.queue("echo").remove, id)
        with pytest.raises(JobNotFoundError):
            await tasks.wait(id, SOON)


async def test_a_task_that_ends_at_once_is_never_missed(tasks: Tasks) -> None:
    await tasks.register("echo", echo, concurrency=50)
    results: list[int] = []

    async def add_and_wait(number: int) -> None:
        results.append(await tasks.wait(await tasks.add("echo", number), timedelta(seconds=20)))

    for first in range(0, 1000, 100):
        async with anyio.create_task_group() as waiting:
            for number in range(first, first + 100):
                waiting.start_soon(add_and_wait, number)

    assert sorted(results) == list(range(1000))
