"""What a client says and reads, as values: options, texts, outcomes and errors."""

import copy
import pickle
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from framework import (
    Custom,
    Deduplication,
    Exponential,
    Fixed,
    JobOptions,
    KeepJobs,
    OptionsError,
    UnrecoverableError,
)
from framework_gateway import (
    GatewayAnswerError,
    GatewayConnectionError,
    GatewayError,
    GatewayRefusedError,
    GatewayTimeoutError,
    RemoteJob,
)
from framework_gateway.client.json_text import read, worded
from framework_gateway.client.options import options_json
from framework_gateway.client.outcome import failure_of
from framework_gateway.client.remote_events import event_in
from framework_gateway.job_check import checked_job

SECOND = timedelta(seconds=1)
OPTIONS = JobOptions(
    attempts=3,
    backoff=Exponential(SECOND, jitter=0.5),
    delay=timedelta(seconds=1.5),
    priority=7,
    lifo=True,
    job_id="mine",
    timestamp=datetime(2026, 1, 1, tzinfo=UTC),
    remove_on_complete=KeepJobs(count=10, age=timedelta(hours=1)),
    remove_on_fail=True,
    keep_logs=5,
    stack_trace_limit=2,
    size_limit=1000,
    deduplication=Deduplication("once", ttl=SECOND, extend=True),
)


def test_options_are_worded_as_bullmq_does() -> None:
    assert options_json(OPTIONS) == {
        "attempts": 3,
        "backoff": {"type": "exponential", "delay": 1000, "jitter": 0.5},
        "delay": 1500,
        "priority": 7,
        "lifo": True,
        "jobId": "mine",
        "timestamp": 1767225600000,
        "removeOnComplete": {"count": 10, "age": 3600},
        "removeOnFail": True,
        "keepLogs": 5,
        "stackTraceLimit": 2,
        "sizeLimit": 1000,
        "deduplication": {"id": "once", "ttl": 1000, "extend": True},
    }


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        JobOptions(backoff=SECOND, priority=0, remove_on_complete=None, remove_on_fail=False),
        JobOptions(backoff=Fixed(SECOND), remove_on_complete=KeepJobs.none()),
        JobOptions(backoff=Custom("mine"), remove_on_complete=KeepJobs.all()),
    ],
)
def test_a_gateway_reads_what_a_client_words(options: JobOptions) -> None:
    told = {"name": "n", "data": 1, "opts": options_json(options)}

    job = checked_job(told, "bull")

    # A bare time is a fixed backoff; what says nothing, or all, is what a gateway assumes.
    assumed = {"priority": 0, "remove_on_complete": None}
    asked = {name: one for name, one in options.items() if assumed.get(name, ...) != one}
    read_back = dict(job.options)
    for one in (asked, read_back):
        if one.get("backoff") == SECOND:
            one["backoff"] = Fixed(SECOND)
        if one.get("remove_on_complete") == KeepJobs():
            one["remove_on_complete"] = False
    assert {name: read_back[name] for name in asked} == asked


def test_an_option_that_no_gateway_takes_is_refused() -> None:
    with pytest.raises(OptionsError, match="timeout: a gateway takes no such option"):
        options_json(JobOptions(timeout=SECOND))
    with pytest.raises(OptionsError, match="no time zone"):
        options_json(JobOptions(timestamp=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is it


@dataclass
class Parcel:
    """A payload."""

    weight: int
    packed: datetime


def test_dataclasses_and_dates_are_worded() -> None:
    parcel = Parcel(7, datetime(2026, 1, 1, tzinfo=UTC))

    assert worded({"é": parcel}) == '{"é":{"weight":7,"packed":"2026-01-01T00:00:00Z"}}'


@pytest.mark.parametrize("message", ["", "{", "null", "[]", b"\xff"])
def test_what_is_no_message_says_nothing(message: str | bytes) -> None:
    assert read(message) == {}


@pytest.mark.parametrize("data", [{}, {"event": "x"}, {"event": "x", "args": [1, 2]}])
def test_what_is_no_event_is_passed_over(data: dict[str, object]) -> None:
    assert event_in(data) is None


def test_a_failure_says_what_happened_and_whether_to_try_again() -> None:
    told = failure_of(KeyError())
    hopeless = failure_of(UnrecoverableError("\ud800 never"))

    assert told == {"err": {"message": "KeyError", "name": "KeyError", "stack": "KeyError\n"}}
    assert isinstance(hopeless["err"], dict)
    assert hopeless["err"]["message"] == "? never"
    assert hopeless["err"]["unrecoverable"] is True


def test_a_job_tells_no_payload_when_it_is_shown() -> None:
    job = RemoteJob.of({"id": "1", "name": "n", "data": "secret", "timestamp": 1000})

    assert repr(job) == "RemoteJob(id='1', name='n')"
    assert job.timestamp == datetime.fromtimestamp(1, tz=UTC)
    assert (job.attempts, job.finished_on) == (1, None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (GatewayAnswerError("add", "EARGS", "wrong"), "add: wrong (EARGS)"),
        (GatewayConnectionError("add", "cut", was_sent=True), "add: cut; it may have been done"),
        (GatewayConnectionError("add", "cut", was_sent=False), "add: cut; it was not done"),
        (
            GatewayTimeoutError("add", SECOND, was_sent=False, trouble="away"),
            "add: no answer in 1 s; it was not done: away",
        ),
        (
            GatewayRefusedError("queue mail", 401, "Unauthorized"),
            "queue mail: the gateway refuses it with 401, 'Unauthorized'",
        ),
    ],
)
def test_errors_word_what_happened_and_are_the_same_elsewhere(
    error: GatewayError, words: str
) -> None:
    assert str(error) == words
    assert str(copy.copy(error)) == words
    assert str(pickle.loads(pickle.dumps(error))) == words  # noqa: S301 - our own
