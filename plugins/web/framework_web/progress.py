"""How far a task is: a number, or an object that tells more."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """How far a task is: hand it to ``ctx.progress``.

    Attributes:
        percentage: 0 to 100; of ``current`` and ``total`` unless given.
        current: How much is done.
        total: How much there is.
        message: What it is about now.

    Raises:
        ValueError: A number that is out of its range, or nothing that tells the percentage.
    """

    percentage: float | None = None
    current: float | None = None
    total: float | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        for name in ("current", "total"):
            check_number(name, getattr(self, name))
        if self.current is not None and self.total is not None and self.current > self.total:
            raise ValueError(f"current={self.current!r} is more than total={self.total!r}")
        if self.message is not None and not isinstance(self.message, str):
            raise ValueError(f"message={self.message!r} is no text")
        if self.percentage is None:
            object.__setattr__(self, "percentage", self._of_total())
        check_number("percentage", self.percentage, most=WHOLE)

    def _of_total(self) -> float:
        if self.current is None or not self.total:
            raise ValueError("percentage is missing: give it, or current and a total above 0")
        return round(WHOLE * self.current / self.total, 2)


def check_number(name: str, number: Any, most: float = inf) -> None:  # noqa: ANN401 - what somebody gave
    """Refuse what is no number from 0 up.

    Raises:
        ValueError: It is none.
    """
    if number is None:
        return
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not isfinite(number) or not 0 <= number <= most:
        upwards = "upwards" if most == inf else f"to {most:g}"
        raise ValueError(f"{name}={number!r} is no number from 0 {upwards}")


def read_progress(stored: object) -> object:
    """Return what a job reported: an object that tells a percentage as `TaskProgress`.

    Whatever else a job reported, of another program perhaps, comes as it is.
    """
    if not isinstance(stored, Mapping) or "percentage" not in stored:
        return stored
    told = {name: stored.get(name) for name in TaskProgress.__dataclass_fields__}
    try:
        return TaskProgress(**told)
    except ValueError:
        return stored
