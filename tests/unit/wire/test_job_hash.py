"""A job's hash, as a `Job` reads it, whoever wrote it and however odd."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import PayloadError
from framework.model.job import EPOCH, JobId
from framework.wire.job_hash import StoredJob
from framework.wire.keys import QueueKeys
from framework.wire.payload import codec_of

ANY = codec_of(Any)


def job(**fields: str | bytes) -> StoredJob[Any, Any]:
    stored = {
        name.encode(): value.encode() if isinstance(value, str) else value
        for name, value in fields.items()
    }
    return StoredJob(QueueKeys("bull", "demo"), JobId("1"), stored, (ANY, ANY))


def test_a_completed_job_is_read_field_by_field() -> None:
    read = job(
        name="echo",
        data='{"a":1}',
        opts='{"attempts":3}',
        timestamp="1795293005740",
        delay="0",
        priority="5",
        processedOn="1795293051971",
        pb="host:1",
        ats="2",
        atm="1",
        stc="1",
        progress='{"pct":50}',
        returnvalue='{"ok":true}',
        finishedOn="1795293051977",
        parentKey="bull:par:P1",
    )

    assert (read.name, read.data, read.options) == ("echo", {"a": 1}, {"attempts": 3})
    assert read.timestamp == datetime(2026, 11, 21, 20, 30, 5, 740_000, tzinfo=UTC)
    assert (read.priority, read.delay, read.attempts) == (5, timedelta(0), 3)
    assert (read.attempts_started, read.attempts_made, read.stalled_counter) == (2, 1, 1)
    assert (read.progress, read.result) == ({"pct": 50}, {"ok": True})
    assert read.processed_by == "host:1"
    assert read.finished_on == datetime(2026, 11, 21, 20, 30, 51, 977_000, tzinfo=UTC)
    assert read.parent_key == "bull:par:P1"


def test_a_job_tells_its_schedule_and_why_it_will_fail() -> None:
    read = job(rjk="nightly", defa="child bull:q:1 failed")

    assert (read.scheduler_id, read.deferred_failure) == ("nightly", "child bull:q:1 failed")
    assert (job().scheduler_id, job().deferred_failure) == (None, None)


def test_a_failed_job_tells_its_reason_as_it_stands() -> None:
    read = job(failedReason='say "no"', stacktrace='["a","b"]')

    assert (read.failed_reason, read.stacktrace) == ('say "no"', ("a", "b"))


def test_a_hash_with_a_name_alone_can_be_read() -> None:
    read = job(name="x")

    assert (read.data, read.options["attempts"], read.attempts) == ({}, 1, 1)
    assert (read.timestamp, read.progress, read.result) == (EPOCH, 0, None)
    assert (read.processed_on, read.finished_on, read.failed_reason) == (None, None, None)
    assert (read.processed_by, read.parent_key, read.stacktrace) == (None, None, ())


def test_an_old_field_of_attempts_counts() -> None:
    assert job(attemptsMade="2").attempts_made == 2


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("12.0", 12), ("1.7e3", 1700), ("NaN", 0), ("Infinity", 0), ("x", 0), ("", 0)],
)
def test_an_odd_number_is_read_as_well_as_it_can_be(text: str, number: int) -> None:
    assert job(priority=text).priority == number


@pytest.mark.parametrize("text", ["1e300", "-1e300", "9" * 400, "253402300800000"])
def test_a_time_beyond_all_dates_is_the_nearest_date(text: str) -> None:
    read = job(timestamp=text, delay=text, processedOn=text)

    assert read.timestamp.tzinfo is UTC
    assert isinstance(read.delay, timedelta)


@pytest.mark.parametrize("trace", ["no json", "null", "{}", "7", '{"a":1}'])
def test_odd_traces_are_none(trace: str) -> None:
    assert job(stacktrace=trace).stacktrace == ()


def test_odd_progress_is_text() -> None:
    assert job(progress="half way").progress == "half way"


def test_odd_bytes_are_replaced() -> None:
    assert job(name=b"\xff").name == "\ufffd"


@pytest.mark.parametrize("opts", ["no json", "[]", "null", "7", '"x"'])
def test_options_that_are_no_object_are_told_when_they_are_asked_for(opts: str) -> None:
    read = job(opts=opts)

    with pytest.raises(PayloadError, match="the options of job 1 cannot be read"):
        _ = read.options


def test_data_that_is_no_json_is_told_when_it_is_asked_for() -> None:
    read = job(data="no json")

    with pytest.raises(PayloadError, match="the data of job 1 cannot be used"):
        _ = read.data


FIELDS = [
    "name", "timestamp", "delay", "priority", "processedOn", "pb", "ats", "atm", "stc", "progress",
    "failedReason", "stacktrace", "finishedOn", "parentKey",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), st.binary(max_size=20)))
def test_any_bytes_in_any_field_are_read(fields: dict[str, bytes]) -> None:
    read = job(**fields)

    for name in (
        "name", "timestamp", "delay", "priority", "attempts_made", "attempts_started",
        "stalled_counter", "progress", "failed_reason", "stacktrace", "processed_on",
        "finished_on", "processed_by", "parent_key",
    ):  # fmt: skip
        getattr(read, name)
