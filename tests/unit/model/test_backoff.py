"""From a failed attempt to what follows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import PayloadError, ResultError, UnrecoverableError
from framework.model.backoff import MOST_DELAY, delay_before, outcome_of
from framework.model.options import Custom, Exponential, Fixed
from framework.model.outcome import Fail, Retry

SECOND = timedelta(seconds=1)
ERROR = ValueError("boom")


@pytest.mark.parametrize(("made", "attempts", "retries"), [
    (0, 3, True), (1, 3, True), (2, 3, False), (5, 3, False), (0, 1, False), (0, 0, False),
])  # fmt: skip
def test_a_job_is_tried_as_often_as_it_was_asked(made: int, attempts: int, retries: bool) -> None:
    outcome = outcome_of(ERROR, attempts_made=made, attempts=attempts, backoff=None)

    assert outcome == (Retry(ERROR) if retries else Fail(ERROR))


@pytest.mark.parametrize(
    "error",
    [
        UnrecoverableError("x"),
        PayloadError("x"),
        ResultError("x"),
        ExceptionGroup("g", [ValueError("y"), UnrecoverableError("x")]),
    ],
)
def test_what_no_retry_can_mend_is_not_retried(error: Exception) -> None:
    assert outcome_of(error, attempts_made=0, attempts=9, backoff=None) == Fail(error)


def test_a_backoff_that_is_not_known_fails_the_job_and_says_so() -> None:
    error = ValueError("boom")

    outcome = outcome_of(error, attempts_made=0, attempts=9, backoff=Custom("mine"))

    assert outcome == Fail(error)
    assert '"mine"' in error.__notes__[0]


def test_an_error_that_takes_no_notes_fails_its_job_all_the_same() -> None:
    @dataclass(frozen=True)
    class FrozenError(Exception):
        reason: str

    error = FrozenError("boom")

    outcome = outcome_of(error, attempts_made=0, attempts=9, backoff=Custom("mine"))

    assert outcome == Fail(error)


def asked(strategy: Callable[[], timedelta | None], *, jitter: float = 0.0) -> Fail | Retry:
    return outcome_of(
        ValueError("boom"),
        attempts_made=0,
        attempts=9,
        backoff=Custom("mine", jitter=jitter),
        strategy=strategy,
    )


def test_a_strategy_says_how_long_to_wait_or_that_there_is_no_point() -> None:
    waits, gives_up = asked(lambda: SECOND), asked(lambda: None)

    assert isinstance(waits, Retry)
    assert waits.delay == SECOND
    assert isinstance(gives_up, Fail)


def test_a_strategys_wait_is_spread_by_the_jobs_jitter() -> None:
    outcomes = [asked(lambda: SECOND, jitter=1) for _ in range(20)]

    waits = {outcome.delay for outcome in outcomes if isinstance(outcome, Retry)}
    assert len(waits) > 10
    assert max(waits) <= SECOND


@pytest.mark.parametrize(
    ("strategy", "told"), [(lambda: -SECOND, "returned"), (lambda: 5, "5"), (lambda: 1 / 0, "zero")]
)
def test_a_broken_strategy_fails_the_job_and_says_so(
    strategy: Callable[[], timedelta | None], told: str
) -> None:
    outcome = asked(strategy)

    assert isinstance(outcome, Fail)
    assert told in outcome.error.__notes__[0]


def test_a_strategy_is_not_asked_after_the_last_attempt() -> None:
    def strategy() -> timedelta:
        raise AssertionError

    outcome = outcome_of(
        ERROR, attempts_made=2, attempts=3, backoff=Custom("mine"), strategy=strategy
    )

    assert outcome == Fail(ERROR)


def test_a_job_that_was_started_too_often_is_not_retried() -> None:
    outcome = outcome_of(ERROR, attempts_made=0, attempts=9, backoff=None, is_worn_out=True)

    assert outcome == Fail(ERROR)


def test_an_exponential_backoff_doubles() -> None:
    waits = [delay_before(n, Exponential(SECOND)) for n in (1, 2, 3, 4)]

    assert waits == [SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND]


def test_a_fixed_backoff_stays() -> None:
    assert [delay_before(n, Fixed(SECOND)) for n in (1, 2, 9)] == [SECOND] * 3


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 0.5), (1.0, 1.0), (0.5, 0.75)])
def test_jitter_takes_off_a_part(chance: float, wait: float) -> None:
    assert delay_before(1, Fixed(SECOND, jitter=0.5), chance) == wait * SECOND


@given(st.integers(1, 10**6), st.timedeltas(timedelta(0), MOST_DELAY), st.floats(0, 1))
def test_no_number_of_retries_overflows(retry: int, delay: timedelta, jitter: float) -> None:
    wait = delay_before(retry, Exponential(delay, jitter))

    assert timedelta(0) <= wait <= 2 * MOST_DELAY
