"""A worker runs jobs: what it hands in, what it records, what it survives."""

import asyncio  # noqa: TID251 - CancelledError is what a handler may raise
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from framework import (
    Context,
    Job,
    JobFailedError,
    JobState,
    Producer,
    SyncContext,
    UnrecoverableError,
    handles,
    processor,
    provider,
)
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import add, hash_of, raw_job
from tests.support.until import until


class Echo(BaseModel):
    message: str


class Other(BaseModel):
    number: int


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


@processor("demo", concurrency=5)
class Echoes:
    async def process(self, job: Job[Echo]) -> dict[str, str]:
        return {"echoed": job.data.message}


async def test_a_job_runs_and_gives_its_result(open_app: Open) -> None:
    app = open_app(Echoes)

    async with working(app):
        producer: Producer[Echo, dict[str, str]] = await app.get(Producer[Echo, dict[str, str]])
        job = await producer.add(Echo(message="hi"))
        result = await producer.result(job)

    assert result == {"echoed": "hi"}


async def test_a_job_keeps_what_its_run_was(open_app: Open, store: Store, keys: QueueKeys) -> None:
    app = open_app(Echoes)

    async with working(app):
        await app.queue("demo").result(await app.queue("demo").add("echo", {"message": "hi"}))

    fields = await hash_of(store, keys, "1")
    assert (fields["returnvalue"], fields["atm"], fields["ats"]) == ('{"echoed":"hi"}', "1", "1")
    assert int(fields["timestamp"]) <= int(fields["processedOn"]) <= int(fields["finishedOn"])
    assert ":" in fields["pb"]


async def test_a_function_is_a_processor_too(open_app: Open) -> None:
    @processor("demo")
    async def double(job: Job[Other]) -> int:
        return 2 * job.data.number

    app = open_app(double)

    async with working(app):
        producer = await app.producer(Other)
        assert await producer.result(await producer.add(Other(number=21))) == 42


async def test_a_processor_that_returns_nothing_completes_with_null(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    async def nothing(job: Job[Other]) -> None:
        pass

    app = open_app(nothing)

    async with working(app):
        producer = await app.producer(Other)
        assert await producer.result(await producer.add(Other(number=1))) is None

    assert (await hash_of(store, keys, "1"))["returnvalue"] == "null"


@processor("demo")
class Mixed:
    @handles("echo")
    async def echo(self, job: Job[Echo]) -> str:
        return job.data.message

    @handles("number")
    async def number(self, job: Job[Other]) -> int:
        return job.data.number


async def test_each_name_has_its_handler(open_app: Open) -> None:
    app = open_app(Mixed)

    async with working(app):
        queue = app.queue("demo")
        first = await queue.add("echo", {"message": "hi"})
        second = await queue.add("number", {"number": 7})

        assert [await queue.result(first), await queue.result(second)] == ["hi", 7]


async def test_an_unknown_name_fails_with_the_known_ones(open_app: Open) -> None:
    app = open_app(Mixed)

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("ehco", {}, attempts=3)
        with pytest.raises(JobFailedError, match='"ehco"') as raised:
            await queue.result(job)
        found = await queue.job(job.id)

    assert '"echo", "number"' in raised.value.reason
    assert found is not None
    assert found.attempts_made == 1


async def test_a_catch_all_takes_every_other_name(open_app: Open) -> None:
    @processor("demo")
    class Wide:
        @handles("echo")
        async def echo(self, job: Job[Echo]) -> str:
            return "named"

        async def process(self, job: Job[Any]) -> str:
            return f"rest: {job.name}"

    app = open_app(Wide)

    async with working(app):
        queue = app.queue("demo")
        assert await queue.result(await queue.add("echo", {"message": ""})) == "named"
        assert await queue.result(await queue.add("other")) == "rest: other"


BAD_DATA = [
    (b'{"message":1}', "message"),
    (b"{}", "message"),
    (b"no json", "JSON"),
    (b"", "JSON"),
    (b'{"message":"\\ud800"}', "JSON"),
    (b"\xff\xfe", "JSON"),
]


@pytest.mark.parametrize(("data", "place"), BAD_DATA)
async def test_data_that_does_not_fit_fails_that_job_alone(
    open_app: Open, store: Store, keys: QueueKeys, data: bytes, place: str
) -> None:
    await add(store, keys, raw_job(b'{"attempts":5}', data=data))
    await add(store, keys, raw_job(b"{}", data=b'{"message":"good"}'))
    app = open_app(Echoes)

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError) as raised:
            await queue.result("1")
        assert await queue.result("2") == {"echoed": "good"}
        found = await queue.job("1")

    assert found is not None
    assert found.attempts_made == 1
    assert "the data of job 1 cannot be used" in raised.value.reason
    assert place in raised.value.reason


BAD_OPTS = [
    b"no json",
    b"[]",
    b"null",
    b"3",
    b"\xff",
    b'{"attempts":Infinity}',
    b'{"attempts":1e400}',
    b'{"delay":1e300}',
    b'{"backoff":1e300}',
    b'{"backoff":{"type":"fixed","delay":1e300}}',
    b'{"backoff":{"type":"fixed","delay":1,"jitter":1' + b"0" * 400 + b"}}",
    b'{"removeOnComplete":1e400}',
    b'{"removeOnFail":{"age":1e300}}',
    b'{"kl":1e300,"stackTraceLimit":1e300}',
    b'{"jobId":{"a":[1]},"lifo":"yes","priority":-5}',
]


@pytest.mark.parametrize("opts", BAD_OPTS)
async def test_options_that_cannot_be_read_stop_no_queue(
    open_app: Open, store: Store, keys: QueueKeys, opts: bytes
) -> None:
    await add(store, keys, raw_job(opts, data=b'{"message":"odd"}'))
    await add(store, keys, raw_job(b"{}", data=b'{"message":"good"}'))
    app = open_app(Echoes)

    async with working(app):
        queue = app.queue("demo")
        assert await queue.result("2") == {"echoed": "good"}
        await until(lambda: is_final(app, "1"), message="the odd job ended")


async def is_final(app: Any, job_id: str) -> bool:  # noqa: ANN401 - an application
    state: JobState = await app.queue("demo").state(job_id)
    return state.is_final


RESULTS = [object(), float("nan"), [1.0, float("inf")], "\ud800", {1, 2, object()}]


@pytest.mark.parametrize("result", RESULTS, ids=["object", "nan", "inf", "surrogate", "set"])
async def test_a_result_that_is_no_json_fails_the_job_without_a_retry(
    open_app: Open, result: object
) -> None:
    runs: list[str] = []

    @processor("demo")
    async def odd(job: Job[Echo]) -> Any:  # noqa: ANN401 - that is the point
        runs.append(job.id)
        return result

    app = open_app(odd)

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("echo", {"message": ""}, attempts=3)
        with pytest.raises(JobFailedError, match="the result cannot be written"):
            await queue.result(job)

    assert runs == [job.id]


async def test_a_result_of_the_wrong_type_fails_the_job(open_app: Open) -> None:
    @processor("demo")
    async def wrong(job: Job[Echo]) -> int:
        return "no number"  # type: ignore[return-value]  # that is the point

    app = open_app(wrong)

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError, match="int"):
            await queue.result(await queue.add("echo", {"message": ""}))


async def test_an_unrecoverable_error_is_not_retried(open_app: Open) -> None:
    @processor("demo")
    async def declined(job: Job[Echo]) -> None:
        raise UnrecoverableError("card declined")

    app = open_app(declined)

    async with working(app):
        queue = app.queue("demo")
        job = await queue.add("echo", {"message": ""}, attempts=5)
        with pytest.raises(JobFailedError, match="card declined"):
            await queue.result(job)
        found = await queue.job(job.id)

    assert found is not None
    assert found.attempts_made == 1


RAISED = [
    SystemExit(3),
    KeyboardInterrupt(),
    asyncio.CancelledError(),
    GeneratorExit(),
    StopIteration(),
    StopAsyncIteration(),
    BaseExceptionGroup("two", [SystemExit(1), ValueError("x")]),
    UnprintableError(),
    ValueError("\ud800 and \x00"),
    MemoryError(),
    RecursionError("deep"),
]


@pytest.mark.parametrize("error", RAISED, ids=[type(error).__name__ for error in RAISED])
@pytest.mark.parametrize("kind", ["loop", "thread"])
async def test_whatever_a_handler_raises_ends_its_job_and_not_the_worker(
    open_app: Open, error: BaseException, kind: str
) -> None:
    @processor("demo", run_in="loop" if kind == "loop" else "thread")
    class Raises:
        def process(self, job: Job[Echo]) -> str:
            if job.data.message == "bad":
                raise error
            return "still here"

    app = open_app(Raises)

    async with working(app):
        queue = app.queue("demo")
        bad = await queue.add("echo", {"message": "bad"})
        with pytest.raises(JobFailedError):
            await queue.result(bad)
        assert await queue.result(await queue.add("echo", {"message": "good"})) == "still here"


async def test_a_failed_job_tells_where_it_failed(open_app: Open) -> None:
    @processor("demo")
    async def failing(job: Job[Echo]) -> None:
        raise ValueError("in user code")

    app = open_app(failing)

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError) as raised:
            await queue.result(await queue.add("echo", {"message": ""}))

    [trace] = raised.value.stacktrace
    assert "ValueError: in user code" in trace
    assert "async def failing" not in trace
    assert "test_run.py" in trace
    assert "framework/worker/runner.py" not in trace


async def test_a_deferred_failure_fails_the_job_before_it_runs(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    runs: list[str] = []

    @processor("demo")
    async def note(job: Job[Any]) -> None:
        runs.append(job.id)

    await add(store, keys, raw_job(b'{"attempts":5}'))
    await store.command("HSET", keys.job("1"), "defa", "child x failed")
    app = open_app(note)

    async with working(app):
        with pytest.raises(JobFailedError, match="child x failed"):
            await app.queue("demo").result("1")

    assert runs == []
    assert "defa" not in await hash_of(store, keys, "1")


async def test_a_running_job_reports_and_logs_and_saves(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    @processor("demo")
    class Reports:
        async def process(self, job: Job[Echo], ctx: Context) -> str:
            await ctx.progress({"pct": 50})
            await ctx.log("half way")
            job = await ctx.save(job, Echo(message="saved"))
            return f"{job.data.message} in attempt {ctx.attempt}"

    app = open_app(Reports)

    async with working(app):
        queue = app.queue("demo")
        result = await queue.result(await queue.add("echo", {"message": "x"}, keep_logs=3))
        logs = await queue.logs("1")

    fields = await hash_of(store, keys, "1")
    assert result == "saved in attempt 1"
    assert (fields["progress"], fields["data"]) == ('{"pct":50}', '{"message":"saved"}')
    assert logs == ["half way"]


async def test_a_sync_handler_runs_in_a_thread_with_a_context(open_app: Open) -> None:
    @processor("demo", run_in="thread", concurrency=2)
    class Blocking:
        def process(self, job: Job[Echo], ctx: SyncContext) -> bool:
            ctx.progress(50)
            ctx.log("from a thread")
            saved = ctx.save(job, Echo(message="saved"))
            anyio.from_thread.check_cancelled()
            return saved.data.message == "saved"

    app = open_app(Blocking)

    async with working(app):
        queue = app.queue("demo")
        assert await queue.result(await queue.add("echo", {"message": "x"})) is True
        assert await queue.logs("1") == ["from a thread"]


async def test_threads_run_as_many_jobs_as_they_should(open_app: Open) -> None:
    now = most = 0

    @processor("demo", run_in="thread", concurrency=3)
    class Blocking:
        def process(self, job: Job[Echo], ctx: SyncContext) -> None:
            nonlocal now, most
            now += 1
            most = max(most, now)
            ctx.progress(1)
            now -= 1

    app = open_app(Blocking)

    async with working(app):
        queue = app.queue("demo")
        jobs = await queue.add_bulk([("echo", {"message": ""})] * 30)
        for job in jobs:
            await queue.result(job)

    assert 2 <= most <= 3


class Session:
    pass


async def test_what_a_job_borrowed_is_closed_before_it_completes(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    seen: list[str] = []

    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        yield Session()
        seen.append(("returnvalue" in await hash_of(store, keys, "1") and "late") or "in time")

    @processor("demo")
    class Borrows:
        async def process(self, job: Job[Echo], session: Session) -> str:
            return type(session).__name__

    app = open_app(Borrows, providers=(session,))

    async with working(app):
        queue = app.queue("demo")
        assert await queue.result(await queue.add("echo", {"message": ""})) == "Session"

    assert seen == ["in time"]


async def test_what_a_job_borrowed_is_thrown_its_error(open_app: Open) -> None:
    seen: list[str] = []

    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        try:
            yield Session()
        except ValueError as error:
            seen.append(str(error))
            raise

    @processor("demo")
    class Borrows:
        async def process(self, job: Job[Echo], session: Session) -> str:
            raise ValueError("roll back")

    app = open_app(Borrows, providers=(session,))

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError, match="roll back"):
            await queue.result(await queue.add("echo", {"message": ""}))

    assert seen == ["roll back"]


async def test_a_commit_that_fails_fails_the_job(open_app: Open) -> None:
    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        yield Session()
        raise ValueError("cannot commit")

    @processor("demo")
    class Borrows:
        async def process(self, job: Job[Echo], session: Session) -> str:
            return "done"

    app = open_app(Borrows, providers=(session,))

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError, match="cannot commit"):
            await queue.result(await queue.add("echo", {"message": ""}))
