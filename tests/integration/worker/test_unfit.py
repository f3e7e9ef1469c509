"""Data, options and results that do not fit: they cost their own job alone."""

from typing import Any

import pytest

from framework import Job, JobFailedError, JobState, processor
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import add, raw_job
from tests.support.echoes import Echo, Echoes
from tests.support.until import until

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
