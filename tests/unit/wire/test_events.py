"""Entries of the event stream, whoever wrote them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from framework.model.events import QueueEvent
from framework.wire.event_entry import decode_event


def decode(*flat: str | bytes) -> QueueEvent:
    raw = [one.encode() if isinstance(one, str) else one for one in flat]
    return decode_event("demo", b"1-0", raw)


def test_what_a_producer_calls_data_or_delay_is_kept() -> None:
    event = decode_event("q", b"1-0", [b"event", b"mine", b"data", b"x", b"delay", b"soon"])

    assert event.fields == {"data": "x", "delay": "soon"}


def test_a_completed_job_brings_its_result() -> None:
    event = decode("event", "completed", "jobId", "7", "returnvalue", '{"a":1}', "prev", "active")

    assert event == QueueEvent(
        "completed", "1-0", "demo", job_id=event.job_id, prev="active", result={"a": 1}
    )
    assert event.job_id == "7"


def test_a_failed_job_brings_its_reason_as_it_stands() -> None:
    event = decode("event", "failed", "jobId", "7", "failedReason", '"x"', "prev", "active")

    assert event.reason == '"x"'


def test_a_delayed_job_brings_when_it_is_due() -> None:
    event = decode("event", "delayed", "jobId", "7", "delay", "1795293065748")

    assert event.due == datetime(2026, 11, 21, 20, 31, 5, 748_000, tzinfo=UTC)


def test_progress_is_json() -> None:
    assert decode("event", "progress", "jobId", "7", "data", "[50]").progress == [50]


def test_what_else_it_says_is_text() -> None:
    event = decode("event", "retries-exhausted", "jobId", "7", "attemptsMade", "3")

    assert event.fields == {"attemptsMade": "3"}


def test_an_event_of_the_queue_has_no_job() -> None:
    assert decode("event", "drained").job_id is None


def test_a_result_that_is_no_json_is_text() -> None:
    event = decode("event", "completed", "jobId", "7", "returnvalue", "no json")

    assert event.result == "no json"


def test_a_completed_event_without_a_result_has_none() -> None:
    assert decode("event", "completed", "jobId", "7").result is None


@given(
    st.lists(
        st.sampled_from([b"event", b"jobId", b"prev", b"returnvalue", b"data", b"delay"])
        | st.sampled_from([b"completed", b"delayed", b"progress", b"1e300", b"-1", b"9" * 400])
        | st.binary(max_size=8),
        max_size=9,
    )
)
def test_any_entry_is_read(flat: list[bytes]) -> None:
    event = decode_event("demo", b"1-0", flat)

    assert event.queue == "demo"


@given(st.sampled_from([b"delayed", b"progress", b"completed"]), st.binary(max_size=12))
def test_any_value_of_a_known_field_is_read(name: bytes, value: bytes) -> None:
    for field in (b"delay", b"data", b"returnvalue", b"prev", b"jobId", b"failedReason"):
        decode_event("demo", b"1-0", [b"event", name, field, value])
