"""How many endings one call takes."""

from framework.model.job import JobId, Token
from framework.store.transitions.ending import KEEP_ALL, Ending, completed
from framework.store.transitions.exchange import MOST_BYTES, Fetched
from framework.worker.deliveries import how_many_fit

JOB = Fetched(JobId("1"), Token("w:1"), {})


def ending(size: int) -> tuple[Ending, None, Fetched]:
    return completed(JOB.id, JOB.token, b"x" * size, KEEP_ALL), None, JOB


def test_a_call_takes_250_endings_at_most() -> None:
    assert how_many_fit([ending(1)] * 300) == 250
    assert how_many_fit([ending(1)] * 3) == 3
    assert how_many_fit([]) == 0


def test_a_call_takes_4_mib_of_results_at_most() -> None:
    half = MOST_BYTES // 2

    assert how_many_fit([ending(half), ending(half), ending(1)]) == 2


def test_a_result_larger_than_that_goes_alone() -> None:
    assert how_many_fit([ending(MOST_BYTES + 1), ending(1)]) == 1
