"""What a run leads to that does not complete. Deciding is pure; one place carries it out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from framework.errors import OptionsError
from framework.model.spans import check_instant, check_span


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
class DelayFor:
    """Run the job again after ``delay``.

    Raises:
        OptionsError: It is negative.
    """

    delay: timedelta

    def __post_init__(self) -> None:
        check_span("delay", self.delay)
        if self.delay < timedelta(0):
            seconds = f"{self.delay.total_seconds():g} s"
            raise OptionsError("delay", f"it must not be negative, got {seconds}")


@dataclass(frozen=True, slots=True)
class DelayUntil:
    """Run the job again at ``due``; at once if that is past.

    Raises:
        OptionsError: It has no time zone.
    """

    due: datetime

    def __post_init__(self) -> None:
        check_instant("delay", self.due)


@dataclass(frozen=True, slots=True)
class WaitForChildren:
    """Run the job again once no child of it is pending."""


@dataclass(frozen=True, slots=True)
class LimitRate:
    """Start no job of the queue for ``duration``, then run this one first.

    Raises:
        OptionsError: It is shorter than a millisecond.
    """

    duration: timedelta

    def __post_init__(self) -> None:
        check_span("rate_limit", self.duration)
        if self.duration < timedelta(milliseconds=1):
            raise OptionsError("rate_limit", f"it lasts at least 1 ms, got {self.duration}")


@dataclass(frozen=True, slots=True)
class Hold:
    """Go back in line before all others, and stay held if that is still asked."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Run the job again before all others; no attempt is counted.

    Attributes:
        max_stalled: Count that whoever worked it has vanished; beyond so many times the job fails.
            None: nothing is counted.

    Raises:
        OptionsError: A negative number.
    """

    max_stalled: int | None = None

    def __post_init__(self) -> None:
        if self.max_stalled is not None and self.max_stalled < 0:
            raise OptionsError("max_stalled", f"it must not be negative, got {self.max_stalled}")


Wish = DelayFor | DelayUntil | WaitForChildren | LimitRate | Hold | GiveBack


@dataclass(frozen=True, slots=True)
class Park:
    """The run left early; the job goes on later, as ``wish`` says, and no attempt is counted."""

    wish: Wish


class Parked(BaseException):
    """Raised by ``ctx.delay_for`` and its like: the job leaves now and goes on later.

    No `Exception`, so that a broad ``except`` does not eat it. Let it pass: a run that
    swallows it, with ``except BaseException``, and returns completes its job, with a warning.

    Attributes:
        wish: What the job waits for.
    """

    def __init__(self, wish: Wish) -> None:
        super().__init__(wish)
        self.wish = wish

    def __str__(self) -> str:
        return f"the job leaves and goes on later: {self.wish}; let this pass"
