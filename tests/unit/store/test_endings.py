"""From what a run led to, to what is written of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework.errors import OptionsError, UnrecoverableError
from framework.model.job import Job, JobId, Token
from framework.model.options import KeepJobs
from framework.model.outcome import (
    DelayFor,
    DelayUntil,
    Fail,
    GiveBack,
    Hold,
    LimitRate,
    Retry,
    WaitForChildren,
    Wish,
)
from framework.store import endings
from framework.store.transitions.ending import given_back
from framework.wire.job_hash import StoredJob
from framework.wire.keys import QueueKeys
from framework.wire.millis import MAX_DUE_MS
from framework.wire.payload import codec_of

MINUTE = timedelta(minutes=1)
NOW = 1_795_293_005_740
TOKEN = Token("t")
ANY = codec_of(Any)


def job(opts: bytes = b"{}", **fields: bytes) -> StoredJob[Any, Any]:
    written = {name.encode(): value for name, value in fields.items()}
    return StoredJob(QueueKeys("bull", "q"), JobId("1"), {b"opts": opts, **written}, (ANY, ANY))


@pytest.mark.parametrize(
    ("wish", "kind", "rest"),
    [
        (DelayFor(MINUTE), b"m", NOW + 60_000),
        (DelayUntil(datetime(2026, 11, 22, tzinfo=UTC)), b"m", 1_795_305_600_000),
        (DelayFor(timedelta.max), b"m", MAX_DUE_MS),
        (LimitRate(MINUTE), b"l", 60_000),
        (WaitForChildren(), b"w", 0),
    ],
)
def test_each_wish_has_its_ending(wish: Wish, kind: bytes, rest: int) -> None:
    ending = endings.of_wish(job(), TOKEN, wish, NOW)

    assert (ending.kind, ending.rest) == (kind, (rest,))


@pytest.mark.parametrize("wish", [GiveBack(), Hold()])
def test_what_is_given_back_says_nothing_more(wish: Wish) -> None:
    assert endings.of_wish(job(), TOKEN, wish, NOW) == given_back(JobId("1"), TOKEN)


def test_a_stall_says_how_the_job_fails_if_it_was_one_too_many() -> None:
    opts = b'{"attempts":3,"removeOnFail":5}'

    ending = endings.of_wish(job(opts, stacktrace=b'["old"]'), TOKEN, GiveBack(2), NOW)

    reason = "job stalled more than allowable limit"
    assert ending.kind == b"s"
    assert ending.rest == (2, reason, json.dumps(["old", reason]).encode(), 3)
    assert ending.keep == KeepJobs(count=5)


def test_less_than_no_stall_is_refused() -> None:
    with pytest.raises(OptionsError, match="max_stalled"):
        GiveBack(-1)


def test_a_failed_attempt_ends_as_its_job_asks() -> None:
    opts = b'{"attempts":3,"backoff":60000,"stackTraceLimit":1}'

    failure = endings.of_error(
        job(opts, atm=b"1", stacktrace=b'["old"]'), TOKEN, ValueError("boom")
    )

    assert isinstance(failure.outcome, Retry)
    assert failure.ending.kind == b"d"
    reason, stack, delay_ms = failure.ending.rest
    assert (reason, delay_ms) == ("boom", 60_000)
    assert isinstance(stack, bytes)
    assert json.loads(stack) == ["ValueError: boom\n"]


def test_the_jobs_own_retention_goes_with_its_failure() -> None:
    failure = endings.of_error(job(b'{"removeOnFail":5}'), TOKEN, ValueError("boom"))

    assert failure.ending.kind == b"f"
    assert failure.ending.keep == KeepJobs(count=5)


def test_options_that_cannot_be_read_let_a_job_fail_all_the_same() -> None:
    failure = endings.of_error(job(b"no json"), TOKEN, ValueError("boom"))

    assert isinstance(failure.outcome, Fail)
    assert failure.ending.kind == b"f"


def test_a_decided_outcome_is_written_whatever_the_options_say() -> None:
    fails = endings.of_outcome(job(b'{"attempts":9}'), TOKEN, Fail(UnrecoverableError("no")))
    retries = endings.of_outcome(job(b'{"lifo":true}'), TOKEN, Retry(ValueError("boom")))

    assert fails.ending.kind == b"f"
    assert (retries.ending.kind, retries.ending.rest[2]) == (b"r", 1)


def test_a_named_strategy_is_asked_with_what_happened() -> None:
    asked: list[tuple[int, BaseException, str]] = []

    def bank(attempt: int, error: BaseException, its: Job[Any]) -> timedelta:
        asked.append((attempt, error, its.id))
        return MINUTE

    error = ValueError("boom")
    opts = b'{"attempts":9,"backoff":{"type":"bank"}}'

    failure = endings.of_error(job(opts, atm=b"2"), TOKEN, error, strategies={"bank": bank})

    assert asked == [(3, error, "1")]
    assert failure.ending.rest[2] == 60_000
