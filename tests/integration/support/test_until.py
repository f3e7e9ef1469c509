import pytest

from tests.support.until import until


async def test_it_returns_what_the_condition_came_to() -> None:
    answers = iter([None, 0, "", "so"])

    assert await until(lambda: next(answers)) == "so"


async def test_it_awaits_an_asynchronous_condition() -> None:
    answers = iter([[], [1]])

    async def answer() -> list[int]:
        return next(answers)

    assert await until(answer) == [1]


async def test_a_condition_that_never_holds_fails_with_its_message_and_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"all are done within 0\.01 s; last seen: \[\]"):
        await until(list, timeout=0.01, message="all are done")


async def test_what_the_condition_raises_passes_through() -> None:
    def broken() -> bool:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await until(broken)
