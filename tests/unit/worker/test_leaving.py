"""What a run that raised wants."""

from datetime import datetime, timedelta

import pytest

from framework.errors import OptionsError, UnrecoverableError
from framework.model.outcome import (
    DelayFor,
    DelayUntil,
    LimitRate,
    Park,
    Parked,
    WaitForChildren,
)
from framework.worker.leaving import failure_of, park_of

MINUTE = timedelta(minutes=1)
NOW = 1_795_293_005_740
WISH = DelayFor(MINUTE)


def group(*errors: BaseException) -> BaseException:
    return BaseExceptionGroup("g", errors)


@pytest.mark.parametrize(
    "error",
    [
        Parked(WISH),
        group(Parked(WISH)),
        group(Parked(WISH), Parked(DelayFor(MINUTE))),
        group(group(Parked(WISH)), group(group(Parked(WISH)))),
    ],
)
def test_one_wish_parks_however_deep_it_is(error: BaseException) -> None:
    assert park_of(error) == Park(WISH)


def test_errors_go_before_wishes() -> None:
    boom = ValueError("boom")
    error = group(Parked(WISH), group(boom, Parked(WISH)))

    assert park_of(error) is None
    failure = failure_of(error)
    assert isinstance(failure, BaseExceptionGroup)
    assert failure.split(ValueError)[1] is None


def test_two_wishes_fail_the_job_for_good() -> None:
    error = group(Parked(WISH), Parked(WaitForChildren()))

    assert park_of(error) is None
    failure = failure_of(error)
    assert isinstance(failure, UnrecoverableError)
    assert "DelayFor" in str(failure)
    assert "WaitForChildren" in str(failure)


def test_an_error_is_what_it_is() -> None:
    boom = ValueError("boom")

    assert park_of(boom) is None
    assert failure_of(boom) is boom


def test_parked_is_no_exception() -> None:
    assert not issubclass(Parked, Exception)


def test_a_wish_that_cannot_be_granted_is_refused_at_once() -> None:
    with pytest.raises(OptionsError, match="must not be negative"):
        DelayFor(-MINUTE)
    with pytest.raises(OptionsError, match="no time zone"):
        DelayUntil(datetime(2030, 1, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(OptionsError, match="at least 1 ms"):
        LimitRate(timedelta(0))
