"""When a worker counts as one that takes nothing, and why."""

import pytest

from framework.worker.watchdog import Sight, reason_of, starves_since

BEGAN = Sight(at=0, fetched=3, answered=5, calls=1, head="7")


def seen(at: float, *, fetched: int = 3, answered: int = 5, head: str = "7") -> Sight:
    return Sight(at, fetched, answered, 1, head)


def test_a_first_sight_begins_the_time() -> None:
    assert starves_since(None, BEGAN) is BEGAN


def test_a_call_that_does_not_come_back_counts_from_the_beginning() -> None:
    assert starves_since(BEGAN, seen(9, head="8")) is BEGAN


def test_calls_that_leave_the_same_job_waiting_count_too() -> None:
    assert starves_since(BEGAN, seen(9, answered=8)) is BEGAN


def test_a_job_that_came_begins_anew() -> None:
    now = seen(9, fetched=4)

    assert starves_since(BEGAN, now) is now


def test_peers_that_are_quicker_are_no_fault() -> None:
    now = seen(9, answered=8, head="9")

    assert starves_since(BEGAN, now) is now


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (seen(9), "its call has had no answer"),
        (Sight(9, 3, 5, 0, "7"), "nothing woke it"),
        (seen(9, answered=8), "its calls come back without a job"),
    ],
)
def test_the_reason_is_told(now: Sight, why: str) -> None:
    assert reason_of(BEGAN, now) == why
