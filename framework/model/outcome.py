"""What a failed attempt leads to. Deciding it is pure; one place carries it out."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Fail:
    """The job failed for good because of ``error``."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed because of ``error``; the next one begins after ``delay``."""

    error: BaseException
    delay: timedelta = timedelta(0)
