"""What may be asked for, checked where it is written."""

from datetime import timedelta
from typing import Any

import pytest

from framework.errors import OptionsError
from framework.model.job import Job, JobId, JobState
from framework.model.options import Exponential, Fixed, JobOptions, KeepJobs

BEFORE = timedelta(seconds=-1)


@pytest.mark.parametrize("kind", [Fixed, Exponential])
@pytest.mark.parametrize(
    ("delay", "jitter"), [(BEFORE, 0), (timedelta(1), 1.1), (timedelta(1), -0.1)]
)
def test_a_backoff_nobody_could_wait_for_is_refused(
    kind: type[Fixed], delay: timedelta, jitter: float
) -> None:
    with pytest.raises(OptionsError, match="backoff"):
        kind(delay, jitter)


@pytest.mark.parametrize(
    "keep", [{"count": -1}, {"limit": -1}, {"age": BEFORE}, {"at_least": BEFORE}]
)
def test_a_retention_below_nothing_is_refused(keep: dict[str, Any]) -> None:
    with pytest.raises(OptionsError, match=f"{next(iter(keep))} must not be negative"):
        KeepJobs(**keep)


def test_keeping_all_and_none_have_names() -> None:
    assert KeepJobs.all() == KeepJobs()
    assert KeepJobs.none() == KeepJobs(count=0)


def test_a_job_gets_at_least_one_try() -> None:
    jobs = [
        Job(JobId("1"), "demo", "x", None, JobOptions(attempts=attempts)) for attempts in (0, 1, 3)
    ]

    assert [job.attempts for job in jobs] == [1, 1, 3]


def test_only_finished_jobs_are_final() -> None:
    assert [state for state in JobState if state.is_final] == [
        JobState.COMPLETED,
        JobState.FAILED,
    ]


def test_a_job_shows_neither_its_data_nor_its_result() -> None:
    job: Job[str, str] = Job(JobId("1"), "demo", "x", "secret", result="secret")

    assert "secret" not in repr(job)
