"""What the answer of an endpoint makes of a job."""

import json

import anyio
import httpx2
import pytest

from framework import Job, JobState, Queue
from tests.plugins.gateway.callback.endpoint import (
    CUT,
    Answer,
    Called,
    always,
    endpoint,
    of_json,
)
from tests.plugins.gateway.conftest import Start, client_of
from tests.support.until import until

TEXT = {"Content-Type": "text/plain"}


async def ended(queue: Queue, job: Job[object]) -> Job[object]:
    """Wait until a job has ended; return it."""

    async def look() -> Job[object] | None:
        found = await queue.look(job.id)
        return found.job if found is not None and found.state.is_final else None

    return await until(look, timeout=10)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (of_json({"ok": [1, None]}), {"ok": [1, None]}),
        (of_json(None), None),
        (of_json("text"), "text"),
        (of_json(5, 201, "application/json; charset=utf-8"), 5),
        (of_json({"a": 1}, kind="APPLICATION/JSON"), {"a": 1}),
        (Answer(200, b"plain", TEXT), "plain"),
        (Answer(200, b'{"a":1}', TEXT), '{"a":1}'),
        (Answer(200, "grüße".encode("latin-1"), {"Content-Type": "text/plain; charset=latin-1"}),
         "grüße"),
        (Answer(200, b"\xff", TEXT), "\ufffd"),
        (Answer(200, b"bare"), "bare"),
        (Answer(204), ""),
        (Answer(204, b"", {"Content-Type": "application/json"}), ""),
    ],
    ids=str,
)  # fmt: skip
async def test_a_success_completes_the_job_with_what_was_answered(
    http: httpx2.AsyncClient, queue: Queue, answer: Answer, result: object
) -> None:
    async with endpoint(always(answer)) as served:
        await http.post("/workers", json=served.record())
        job = await ended(queue, await queue.add("n", {"a": 1}))

    assert (await queue.state(job.id)) is JobState.COMPLETED
    assert job.result == result


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(200, b"{bad", {"Content-Type": "application/json"}), "Invalid JSON: "),
        (Answer(200, b"", {"Content-Type": "application/json"}), "Invalid JSON: "),
        (Answer(200, b"[NaN]", {"Content-Type": "application/json"}), "Invalid JSON: "),
        (Answer(200, b"[" * 9999, {"Content-Type": "application/json"}), "Invalid JSON: "),
        (Answer(500, b"the disk is full", TEXT), "500 Internal Server Error: the disk is full"),
        (Answer(500, b"x" * 5000, TEXT), "500 Internal Server Error: " + "x" * 1000),
        (Answer(404), "404 Not Found"),
        (Answer(422, b"", phrase="Own Words"), "422 Own Words"),
        (of_json({"error": "no"}, 400), '400 Bad Request: {"error": "no"}'),
        (Answer(302, b"", {"Location": "/elsewhere"}), "302 Found"),
        (Answer(307, b"over there", {"Location": "/x"}), "307 Temporary Redirect: over there"),
        (Answer(304), "304 Not Modified"),
    ],
    ids=str,
)  # fmt: skip
async def test_any_other_answer_fails_it_with_what_was_said(
    http: httpx2.AsyncClient, queue: Queue, answer: Answer, reason: str
) -> None:
    async with endpoint(always(answer)) as served:
        await http.post("/workers", json=served.record())
        job = await ended(queue, await queue.add("n"))

    assert (await queue.state(job.id)) is JobState.FAILED
    assert job.failed_reason is not None
    assert job.failed_reason.startswith(reason)
    assert len(job.failed_reason) == len(reason) or reason.endswith(": ")
    assert job.stacktrace == (job.failed_reason,)
    assert len(served.calls) == 1


async def test_an_endpoint_that_hangs_up_fails_the_job(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    async with endpoint(always(CUT)) as served:
        await http.post("/workers", json=served.record())
        job = await ended(queue, await queue.add("n"))

    assert job.failed_reason == "Server disconnected without sending a response."


async def test_an_endpoint_that_does_not_answer_in_time_fails_the_job(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    async def never(_: Called) -> Answer:
        await anyio.sleep_forever()
        raise AssertionError

    async with endpoint(never) as served:
        await http.post("/workers", json=served.record(timeout=100))
        job = await ended(queue, await queue.add("n"))

    assert job.failed_reason == "The operation was aborted: timeout of 100 ms"


async def test_an_endpoint_that_nobody_serves_fails_the_job(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    async with endpoint(always(of_json(1))) as served:
        record = served.record()
    await http.post("/workers", json=record)

    job = await ended(queue, await queue.add("n"))

    assert job.failed_reason == "Connection refused"


async def test_a_host_that_nobody_knows_fails_the_job(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    record = {"queue": "demo", "endpoint": {"url": "http://nowhere.invalid/", "method": "POST"}}
    await http.post("/workers", json=record)

    job = await ended(queue, await queue.add("n"))

    assert job.failed_reason
    assert job.failed_reason not in {"", "ConnectError"}


async def test_an_endpoint_that_speaks_no_tls_fails_the_job(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    async with endpoint(always(of_json(1))) as served:
        record = served.record()
        record["endpoint"] = {"url": f"https://127.0.0.1:{served.port}/", "method": "POST"}
        await http.post("/workers", json=record)
        job = await ended(queue, await queue.add("n"))

    assert job.failed_reason is not None
    assert "SSL" in job.failed_reason
    assert served.calls == []


async def test_a_connection_is_used_again_and_dialled_anew_once_it_is_cut(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    async def cut_third(called: Called) -> Answer:
        return CUT if called.job["data"] == 2 else of_json(called.job["data"])

    async with endpoint(cut_third) as served:
        await http.post("/workers", json=served.record())
        jobs = [await ended(queue, await queue.add("n", number)) for number in range(5)]

    assert [job.result for job in jobs] == [0, 1, None, 3, 4]
    assert served.lines == 2


async def test_a_failed_job_is_called_again_as_its_options_say(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    async def third_time(called: Called) -> Answer:
        return of_json("at last") if called.job["attemptsMade"] == 2 else Answer(503, b"busy")

    async with endpoint(third_time) as served:
        await http.post("/workers", json=served.record())
        added = await http.post(
            "/queues/demo/jobs",
            json=[{"name": "n", "data": 1, "opts": {"attempts": 5, "backoff": 20}}],
        )
        found = await queue.job(added.json()[0]["id"])
        assert found is not None
        job = await ended(queue, found)

    assert job.result == "at last"
    assert [call.job["attemptsMade"] for call in served.calls] == [0, 1, 2]
    assert len({call.said["token"] for call in served.calls}) == 3
    assert job.stacktrace == ("503 Service Unavailable: busy",) * 2


async def test_an_answer_that_is_too_large_fails_the_job(start: Start, queue: Queue) -> None:
    gateway = await start(max_message_bytes=2000)
    async with endpoint(always(Answer(200, b"x" * 3000))) as served, client_of(gateway) as http:
        await http.post("/workers", json=served.record())
        job = await ended(queue, await queue.add("n"))

    assert job.failed_reason == "The answer has more than 2000 bytes"


async def test_what_is_called_with_is_the_job_and_its_token_byte_for_byte(
    http: httpx2.AsyncClient, queue: Queue, prefix: str
) -> None:
    async with endpoint(always(of_json(1))) as served:
        headers = {"Authorization": "Basic c2VjcmV0", "x-own": "a b"}
        await http.post("/workers", json=served.record(headers=headers))
        added = await queue.add("n", {"a": 1.0}, remove_on_complete=None, remove_on_fail=None)
        await ended(queue, added)

    (call,) = served.calls
    job, token = call.job, call.said["token"]
    assert (call.method, call.target) == ("POST", "/cb?x=1")
    assert call.headers["content-type"] == "application/json"
    assert call.headers["authorization"] == "Basic c2VjcmV0"
    assert call.headers["x-own"] == "a b"
    assert call.headers["host"] == f"127.0.0.1:{served.port}"
    times = {"timestamp": job["timestamp"], "processedOn": job["processedOn"]}
    expected = (
        '{"job":{"name":"n","data":{"a":1.0},"opts":{"attempts":0},"id":"1","progress":0,'
        '"returnvalue":null,"stacktrace":[],"delay":0,"priority":0,"attemptsStarted":1,'
        '"attemptsMade":0,"stalledCounter":0,"timestamp":%(timestamp)d,'
        f'"queueQualifiedName":"{prefix}:demo","processedOn":%(processedOn)d' % times
    )
    assert call.body.decode().startswith(expected)
    assert call.body.decode().endswith(f'}},"token":{json.dumps(token)}}}')


async def test_a_content_type_of_its_own_is_sent_instead(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    async with endpoint(always(of_json(1))) as served:
        record = served.record(headers={"content-type": "application/x-job"})
        await http.post("/workers", json=record)
        await ended(queue, await queue.add("n"))

    assert served.calls[0].headers["content-type"] == "application/x-job"


@pytest.mark.parametrize("method", ["PUT", "patch", "Post"])
async def test_the_method_is_as_it_was_registered(
    http: httpx2.AsyncClient, queue: Queue, method: str
) -> None:
    async with endpoint(always(of_json(1))) as served:
        record = served.record()
        record["endpoint"] = {"url": served.url, "method": method}
        await http.post("/workers", json=record)
        await ended(queue, await queue.add("n"))

    assert served.calls[0].method == method.upper()
