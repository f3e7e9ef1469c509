"""Bodies that are too large, too slow, or nothing that any endpoint expects."""

from collections.abc import AsyncIterator, Callable

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework_gateway.errors import AnswerError
from framework_gateway.job_check import checked_jobs
from framework_gateway.strict_json import json_of
from tests.plugins.gateway.conftest import KEY, Start, client_of

AT = "/queues/demo/jobs"


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 1000


async def test_a_body_over_the_limit_is_refused_at_once(start: Start) -> None:
    gateway = await start(max_message_bytes=2000)

    async with client_of(gateway) as client:
        told = await client.post(AT, content=b"[" + b" " * 3000 + b"]")
        untold = await client.post(AT, content=chunks(5))
        after = await client.post(AT, json=[{"name": "n", "data": 1}])

    assert (told.status_code, told.text) == (413, "Body must be at most 2000 bytes long")
    assert untold.status_code == 413
    assert after.status_code == 200


async def test_a_body_just_at_the_limit_is_taken(start: Start) -> None:
    gateway = await start(max_message_bytes=2000)

    async with client_of(gateway) as client:
        answer = await client.post(AT, content=b"[" + b" " * 1998 + b"]")

    assert (answer.status_code, answer.text) == (200, "[]")


async def test_a_body_that_never_ends_is_waited_for_no_longer_than_a_request_may_take(
    start: Start,
) -> None:
    gateway = await start(request_timeout=0.3)
    head = f"POST {AT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"

    async with await anyio.connect_tcp("127.0.0.1", gateway.port) as line:
        await line.send(head.encode() + b"Content-Length: 50\r\n\r\n[")
        answer = b""
        with anyio.fail_after(10):
            try:
                while True:
                    answer += await line.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                pass

    assert answer == b"" or b" 408 " in answer


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["fixed", "exponential", "12", "a:b", "x:y", "bull:q", "2030-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
MEMBERS = ["name", "data", "opts", "foo"]
OPTIONS = [
    "delay", "priority", "attempts", "backoff", "lifo", "jobId", "deduplication", "sizeLimit",
    "removeOnComplete", "removeOnFail", "keepLogs", "stackTraceLimit", "timestamp", "parent",
    "repeat", "foo",
]  # fmt: skip
INNER = [
    "type", "delay", "jitter", "id", "ttl", "extend", "count", "age", "limit", "queue", "every",
    "pattern", "tz", "startDate", "endDate", "offset", "immediately", "key",
]  # fmt: skip
inner = values | st.dictionaries(st.sampled_from(INNER), values)
opts = values | st.dictionaries(st.sampled_from(OPTIONS), inner)
jobs = st.fixed_dictionaries(
    {"name": values, "data": values}, optional={"opts": opts, "foo": values}
)


def refusal_of(call: Callable[[], object]) -> AnswerError | None:
    """How a call refuses what it is given, if it does; it raises nothing else."""
    try:
        call()
    except AnswerError as refused:
        return refused
    return None


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(jobs | st.dictionaries(st.sampled_from(MEMBERS), values) | values, max_size=3))
def test_whatever_is_sent_as_jobs_is_checked_or_refused(body: list[object]) -> None:
    refusal = refusal_of(lambda: checked_jobs(body, "bull"))

    assert refusal is None or (refusal.status == 400 and len(refusal.message) < 400)


@given(st.binary(max_size=50) | st.text(max_size=50).map(str.encode))
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    refusal = refusal_of(lambda: json_of(body))

    assert refusal is None or (refusal.status, refusal.code) == (400, "EPARSE")
