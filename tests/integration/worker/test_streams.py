"""What a running job streams, and who follows it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import pytest
from pydantic import BaseModel

from framework import (
    Chunk,
    Context,
    Job,
    JobNotFoundError,
    LockLostError,
    OptionsError,
    PayloadError,
    SyncContext,
    processor,
)
from framework.app.application import Application
from framework.model.job import JobId, Token
from framework.store.store import Store
from framework.store.transitions.running import add_chunk
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import active_job
from tests.support.until import until

GATES: dict[str, anyio.Event] = {}


class Word(BaseModel):
    text: str


@processor("demo", concurrency=10)
async def write(job: Job[list[str]], ctx: Context) -> int:
    for text in job.data:
        if text == "?":
            await GATES.setdefault(ctx.job_id, anyio.Event()).wait()
        elif text == "!":
            if ctx.attempt == 1:
                raise ValueError("once more")
        else:
            await ctx.stream(Word(text=text))
    return len(job.data)


@processor("threads", run_in="thread")
def write_in_a_thread(job: Job[int], ctx: SyncContext) -> None:
    for number in range(job.data):
        ctx.stream(number)


@pytest.fixture
async def app(open_app: Open) -> AsyncIterator[Application]:
    app = open_app(write, write_in_a_thread)
    async with working(app):
        yield app


async def texts(app: Application, job_id: str) -> list[tuple[int, int, str]]:
    with anyio.fail_after(30):
        chunks = app.queue("demo").chunks(job_id, Word)
        return [(one.index, one.attempt, one.data.text) async for one in chunks]


async def test_whoever_follows_gets_the_whole_story_soon_or_late(app: Application) -> None:
    queue = app.queue("demo")
    job = await queue.add("list", ["a", "b", "?", "c"])
    heard: list[list[tuple[int, int, str]]] = []

    async def follow() -> None:
        heard.append(await texts(app, job.id))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(follow)
        await until(lambda: job.id in GATES, message="it is in the middle")
        for _ in range(20):
            tasks.start_soon(follow)
        await anyio.wait_all_tasks_blocked()
        GATES[job.id].set()
    await follow()

    assert heard == [[(0, 1, "a"), (1, 1, "b"), (2, 1, "c")]] * 41


async def test_another_attempt_goes_on_behind_the_chunks_of_the_first(app: Application) -> None:
    job = await app.queue("demo").add("list", ["a", "!", "b"], attempts=2)

    assert await texts(app, job.id) == [(0, 1, "a"), (1, 2, "a"), (2, 2, "b")]


async def test_a_thread_streams_more_than_a_page(app: Application) -> None:
    queue = app.queue("threads")
    job = await queue.add("int", 700)

    assert [one.data async for one in queue.chunks(job.id)] == list(range(700))


async def test_chunks_have_the_type_that_is_asked_for(app: Application) -> None:
    queue = app.queue("demo")
    job = await queue.add("list", ["a"])
    (chunk,) = [one async for one in queue.chunks(job.id, Word)]

    assert isinstance(chunk, Chunk)
    assert chunk.data == Word(text="a")
    with pytest.raises(PayloadError, match="does not fit int"):
        await anext(queue.chunks(job.id, int))


async def test_who_knows_some_chunks_hears_the_others(app: Application) -> None:
    queue = app.queue("demo")
    job = await queue.add("list", ["a", "b", "c"])
    await queue.result(job)
    whole = [one async for one in queue.chunks(job.id)]

    async with queue.listen_to_job(job.id, after="0", chunks_after=whole[0].id) as listener:
        found = await listener.receive_all()

    assert found == whole[1:]


async def test_chunks_are_kept_for_a_time_and_go_with_their_job(
    app: Application, store: Store, keys: QueueKeys
) -> None:
    queue = app.queue("demo")
    job = await queue.add("list", ["a"])
    await queue.result(job)
    left = await store.command("PTTL", keys.chunks(job.id))
    assert timedelta(hours=23) < timedelta(milliseconds=left) <= timedelta(days=1)

    await queue.remove(job.id)

    assert await store.command("EXISTS", keys.chunks(job.id)) == 0
    with pytest.raises(JobNotFoundError):
        await anext(queue.chunks(job.id))


async def test_only_the_newest_chunks_are_kept(
    store: Store, keys: QueueKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("framework.store.transitions.running.MOST_CHUNKS", 100)
    job = await active_job(store, keys)
    for number in range(400):
        await add_chunk(store, keys, job.id, job.token, 1, b"%d" % number)

    assert 100 <= await store.command("XLEN", keys.chunks(job.id)) < 300


async def test_only_who_holds_the_job_may_stream(store: Store, keys: QueueKeys) -> None:
    job = await active_job(store, keys)

    with pytest.raises(LockLostError):
        await add_chunk(store, keys, job.id, Token("another"), 1, b"1")
    with pytest.raises(JobNotFoundError):
        await add_chunk(store, keys, JobId("none"), job.token, 1, b"1")
    assert await add_chunk(store, keys, job.id, job.token, 1, b"1") == 0
    await store.command("DEL", f"{keys.job(job.id)}:lock")
    with pytest.raises(LockLostError):
        await add_chunk(store, keys, job.id, job.token, 1, b"1")


async def test_what_is_no_id_of_a_chunk_is_refused(app: Application) -> None:
    with pytest.raises(OptionsError, match="chunks_after"):
        app.queue("demo").listen_to_job("1", chunks_after="x")
