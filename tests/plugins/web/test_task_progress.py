"""How far a task is: a number, or an object that is checked where it is made."""

import pytest

from framework_web import TaskProgress
from framework_web.progress import read_progress


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"percentage": 101}, "percentage=101 is no number from 0 to 100"),
        ({"percentage": -0.5}, "percentage"),
        ({"percentage": float("nan")}, "percentage"),
        ({"percentage": True}, "percentage"),
        ({"percentage": "50"}, "percentage"),
        ({"percentage": 50, "current": -1}, "current=-1 is no number from 0 upwards"),
        ({"percentage": 50, "total": float("inf")}, "total"),
        ({"percentage": 50, "current": 3, "total": 2}, "current=3 is more than total=2"),
        ({"percentage": 50, "message": 7}, "message=7 is no text"),
        ({}, "percentage is missing"),
        ({"current": 0, "total": 0}, "percentage is missing"),
    ],
)
def test_what_is_out_of_range_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TaskProgress(**given)  # type: ignore[arg-type]


def test_the_percentage_follows_from_how_much_is_done() -> None:
    assert TaskProgress(current=1, total=3).percentage == 33.33
    assert TaskProgress(10, 1, 3).percentage == 10


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (0, 0),
        (42.5, 42.5),
        ({"percentage": 5, "message": "a"}, TaskProgress(5, message="a")),
        ({"percentage": 5, "current": None, "other": 1}, TaskProgress(5)),
        ({"percentage": 500}, {"percentage": 500}),
        ({"step": "b"}, {"step": "b"}),
        ("half", "half"),
    ],
)
def test_what_a_job_reported_is_read(stored: object, read: object) -> None:
    assert read_progress(stored) == read
