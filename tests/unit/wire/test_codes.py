"""Refusals of scripts, as errors."""

import pytest

from framework.errors import (
    FailedChildrenError,
    JobNotFoundError,
    LockLostError,
    ParentNotFoundError,
    PendingChildrenError,
    SchedulerJobError,
    TransitionError,
    WrongStateError,
)
from framework.wire.codes import raise_for


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (-1, JobNotFoundError),
        (-2, LockLostError),
        (-3, WrongStateError),
        (-4, PendingChildrenError),
        (-5, ParentNotFoundError),
        (-6, LockLostError),
        (-8, SchedulerJobError),
        (-9, FailedChildrenError),
        (-77, TransitionError),
    ],
)
def test_each_code_has_its_error(code: int, error: type[TransitionError]) -> None:
    with pytest.raises(error, match='job 7 of queue "demo"') as raised:
        raise_for(code, job_id="7", queue="demo")

    assert raised.value.code == code


@pytest.mark.parametrize("code", [0, 1, 250])
def test_what_is_not_negative_passes(code: int) -> None:
    raise_for(code, job_id="7", queue="demo")
