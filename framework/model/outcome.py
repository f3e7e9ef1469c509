"""What one run of a job led to. Deciding it is pure; one place carries it out."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Complete:
    """The processor returned ``result``."""

    result: object = None


@dataclass(frozen=True, slots=True)
class Fail:
    """The job failed for good because of ``error``."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed because of ``error``; the next one begins after ``delay``."""

    error: BaseException
    delay: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The run was cut short by a stop; the job goes back in line, no attempt is counted."""

    reason: str = "the worker stops"


Outcome = Complete | Fail | Retry | GiveBack
