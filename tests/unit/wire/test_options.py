"""Options, to the ``opts`` JSON and back."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import OptionsError
from framework.model.options import (
    KEEP_COMPLETED,
    KEEP_FAILED,
    Custom,
    Exponential,
    Fixed,
    JobOptions,
    KeepJobs,
)
from framework.wire.keys import check_job_id
from framework.wire.options import encode_options
from framework.wire.stored_options import decode_options

MOST = 2**31 - 1
seconds = st.integers(0, 10**9).map(lambda n: timedelta(seconds=n))
millis = st.integers(0, 10**11).map(lambda n: timedelta(milliseconds=n))
jitters = st.floats(0, 1, allow_nan=False)
backoffs = (
    st.builds(Fixed, millis, jitters)
    | st.builds(Exponential, millis, jitters)
    | st.builds(Custom, st.just("mine"), millis, jitters)
)
keeps = st.builds(
    KeepJobs,
    count=st.none() | st.integers(0, MOST),
    age=st.none() | seconds,
    limit=st.none() | st.integers(0, MOST),
)
job_ids = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(
    lambda text: ":" not in text and not text.strip("+-").isdigit() and is_allowed(text)
)


def is_allowed(job_id: str) -> bool:
    try:
        check_job_id(job_id)
    except OptionsError:
        return False
    return True


options = st.fixed_dictionaries(
    {},
    optional={
        "attempts": st.integers(1, MOST),
        "backoff": backoffs,
        "delay": st.integers(1, 10**12).map(lambda n: timedelta(milliseconds=n)),
        "priority": st.integers(1, 2_097_151),
        "lifo": st.just(value=True),
        "job_id": job_ids,
        "remove_on_complete": keeps,
        "remove_on_fail": keeps,
        "keep_logs": st.integers(0, MOST),
        "stack_trace_limit": st.integers(0, MOST),
        "timeout": st.integers(1, 10**12).map(lambda n: timedelta(milliseconds=n)),
    },
)


@given(options)
def test_what_was_asked_for_comes_back(wanted: dict[str, Any]) -> None:
    opts = encode_options(cast("JobOptions", wanted)).opts

    read = decode_options(opts).public

    assert {name: read.get(name) for name in wanted} == wanted


@given(st.binary() | st.text().map(str.encode))
def test_any_text_is_read_or_refused_with_one_error(opts: bytes) -> None:
    try:
        read = decode_options(opts)
    except ValueError:
        return

    assert read.attempts >= 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NAMES = [
    "attempts", "backoff", "delay", "priority", "lifo", "jobId", "timestamp", "removeOnComplete",
    "removeOnFail", "kl", "stackTraceLimit", "sizeLimit", "de", "fpof", "repeat",
]  # fmt: skip
PARTS = ["type", "delay", "jitter", "count", "age", "limit", "fw.atLeast"]
odd = st.dictionaries(
    st.sampled_from(NAMES), json_values | st.dictionaries(st.sampled_from(PARTS), json_values)
)


@given(odd)
def test_whatever_a_peer_wrote_into_an_object_is_read(stored: dict[str, Any]) -> None:
    read = decode_options(json.dumps(stored).encode())

    assert read.keep_logs is None or read.keep_logs >= 0
    assert read.backoff is None or isinstance(read.backoff, Fixed | Exponential | Custom)


def stored(**wanted: Any) -> dict[str, Any]:  # noqa: ANN401 - any options
    found: dict[str, Any] = json.loads(encode_options(cast("JobOptions", wanted)).opts)
    return found


def test_nothing_asked_for_is_one_try_and_our_retention() -> None:
    assert stored() == {"removeOnComplete": 1000, "fw": 1, "removeOnFail": {"age": 604800}}
    assert decode_options(encode_options({}).opts).public == {
        "attempts": 1,
        "remove_on_complete": KEEP_COMPLETED,
        "remove_on_fail": KEEP_FAILED,
    }


def test_our_default_leaves_a_job_in_the_form_of_redis_that_is_small() -> None:
    assert len(encode_options({}).opts) <= 64  # Redis' hash-max-listpack-value


def test_the_mark_counts_beside_our_own_number_alone() -> None:
    read = decode_options(b'{"removeOnComplete":5,"fw":1}')

    assert read.keep_completed == KeepJobs(count=5)


def test_each_option_has_the_name_that_node_gives_it() -> None:
    wanted = stored(
        attempts=3,
        backoff=Exponential(timedelta(seconds=1), jitter=0.5),
        delay=timedelta(seconds=2),
        priority=4,
        lifo=True,
        job_id="mine",
        timestamp=datetime(2026, 11, 21, tzinfo=UTC),
        remove_on_complete=True,
        remove_on_fail=KeepJobs(count=5, age=timedelta(hours=1), limit=7),
        keep_logs=8,
        stack_trace_limit=9,
        size_limit=10,
    )

    assert wanted == {
        "attempts": 3,
        "backoff": {"type": "exponential", "delay": 1000, "jitter": 0.5},
        "delay": 2000,
        "priority": 4,
        "lifo": True,
        "jobId": "mine",
        "timestamp": 1795219200000,
        "removeOnComplete": True,
        "removeOnFail": {"count": 5, "age": 3600, "limit": 7},
        "kl": 8,
        "stackTraceLimit": 9,
        "sizeLimit": 10,
    }


def test_a_retention_of_none_leaves_it_to_the_worker() -> None:
    assert stored(remove_on_complete=None, remove_on_fail=None) == {"attempts": 0}


def test_a_zero_that_was_asked_for_is_stored_as_node_stores_it() -> None:
    asked = stored(delay=timedelta(0), priority=0, lifo=False, remove_on_complete=None)

    assert asked.items() >= {"delay": 0, "priority": 0, "lifo": False}.items()


def test_no_member_is_null() -> None:
    assert None not in stored(backoff=timedelta(seconds=1), remove_on_fail=False).values()


def test_a_backoff_of_ones_own_goes_by_its_name() -> None:
    backoff = Custom("mine", timedelta(seconds=1), jitter=0.5)

    assert stored(backoff=backoff)["backoff"] == {"type": "mine", "delay": 1000, "jitter": 0.5}


@pytest.mark.parametrize("name", ["", "fixed", "exponential"])
def test_a_backoff_of_ones_own_has_a_name_of_its_own(name: str) -> None:
    with pytest.raises(OptionsError, match="no name"):
        Custom(name)


def test_a_plain_time_is_a_fixed_backoff() -> None:
    assert stored(backoff=timedelta(seconds=1))["backoff"] == {"type": "fixed", "delay": 1000}


def test_a_part_of_a_millisecond_is_rounded_up() -> None:
    assert encode_options(JobOptions(delay=timedelta(microseconds=1))).delay_ms == 1


@pytest.mark.parametrize("count", [0, 1000])
def test_a_mere_count_is_worded_as_a_number(count: int) -> None:
    assert stored(remove_on_complete=KeepJobs(count=count))["removeOnComplete"] == count


def test_limits_of_both_kinds_of_jobs_leave_a_hash_compact() -> None:
    options = JobOptions(remove_on_complete=KeepJobs(count=1000), remove_on_fail=KeepJobs(count=99))

    assert len(encode_options(options).opts) <= 64  # Redis' hash-max-listpack-value


def test_retention_that_the_worker_decides_is_not_written() -> None:
    written = stored(remove_on_complete=None, remove_on_fail=None)

    assert written == {"attempts": 0}


def test_a_part_of_a_second_of_retention_is_rounded_up() -> None:
    keep = KeepJobs(count=3, age=timedelta(milliseconds=500), at_least=timedelta(milliseconds=1))

    assert stored(remove_on_complete=keep)["removeOnComplete"] == {
        "count": 3,
        "age": 1,
        "fw.atLeast": 1,
    }


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("true", KeepJobs(count=0)),
        ("false", KeepJobs()),
        ("7", KeepJobs(count=7)),
        ("0", KeepJobs(count=0)),
        ("-1", KeepJobs()),
        ('{"age":60}', KeepJobs(age=timedelta(minutes=1))),
        ('{"count":-1}', KeepJobs()),
        ("{}", KeepJobs()),
        ("null", None),
        ('"x"', None),
        ("[]", None),
    ],
)
def test_each_form_of_nodes_retention_is_read(text: str, keep: KeepJobs | None) -> None:
    opts = f'{{"removeOnComplete":{text},"removeOnFail":{text}}}'.encode()

    read = decode_options(opts)

    assert (read.keep_completed, read.keep_failed) == (keep, keep)


@pytest.mark.parametrize(
    ("text", "backoff"),
    [
        ("1000", Fixed(timedelta(seconds=1))),
        ('{"type":"fixed","delay":1}', Fixed(timedelta(milliseconds=1))),
        ('{"type":"exponential","delay":1,"jitter":7}', Exponential(timedelta(milliseconds=1), 1)),
        ('{"type":"mine"}', Custom("mine")),
        ('{"type":"mine","delay":1,"jitter":1}', Custom("mine", timedelta(milliseconds=1), 1)),
        ("null", None),
        ("-5", Fixed(timedelta(0))),
        ('"x"', None),
    ],
)
def test_each_form_of_nodes_backoff_is_read(text: str, backoff: object) -> None:
    assert decode_options(f'{{"backoff":{text}}}'.encode()).backoff == backoff


def test_options_that_are_not_ours_do_no_harm() -> None:
    opts = b'{"tm":"t","omc":false,"repeat":{"every":1},"attempts":2}'

    assert decode_options(opts).public == JobOptions(attempts=2)


def test_a_delay_ends_before_scores_lose_their_exactness() -> None:
    with pytest.raises(OptionsError, match="2039"):
        encode_options(JobOptions(delay=timedelta(days=365 * 100)))


@pytest.mark.parametrize("timeout", [timedelta(0), -timedelta(seconds=1), 5, timedelta.max])
def test_a_timeout_is_a_time(timeout: Any) -> None:  # noqa: ANN401 - of any type
    with pytest.raises(OptionsError, match=r"^timeout: "):
        encode_options(JobOptions(timeout=timeout))


def test_a_timeout_of_zero_in_redis_is_none() -> None:
    assert decode_options(b'{"fw.timeout":0}').timeout_seconds is None
