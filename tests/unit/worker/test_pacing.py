"""When calls leave and what they carry, whatever waits."""

from hypothesis import given
from hypothesis import strategies as st

from framework.store.transitions.exchange import MOST_WANTED
from framework.worker.pacing import Pacing

slots = st.integers(1, 5000)
some = st.integers(0, 6000)
pauses = st.sampled_from([0.0, 0.0001, 0.001, 60.0])


@given(slots, some, st.integers(-10, 5000), st.booleans())
def test_nothing_is_held_back_while_no_call_is_under_way(
    slots: int, endings: int, free: int, line_flows: bool
) -> None:
    assert Pacing(slots).may_call(0, endings, free, line_flows=line_flows)


@given(slots, some, st.integers(0, 5000), st.booleans(), pauses)
def test_what_a_call_leaves_goes_with_a_second_one_at_once(
    slots: int, endings: int, free: int, line_flows: bool, idle: float
) -> None:
    pacing = Pacing(slots)

    sent, want = pacing.load(0, endings, free, line_flows=line_flows, idle=idle)
    rest, still_free = endings - sent, free - want

    assert 0 <= sent <= endings
    assert not rest or pacing.may_call(1, rest, still_free, line_flows=line_flows)


def test_a_group_is_parted_only_after_a_pause() -> None:
    pacing = Pacing(100)

    assert pacing.load(0, 24, 24, line_flows=True, idle=0) == (24, 24)
    assert pacing.load(0, 24, 24, line_flows=True, idle=0.001) == (12, 12)
    assert pacing.load(1, 12, 12, line_flows=True, idle=0) == (12, 12)
    assert pacing.load(0, 7, 7, line_flows=True, idle=0.001) == (7, 7)


@given(slots, some, some)
def test_a_lone_ending_waits_for_the_call_that_is_under_way(
    slots: int, endings: int, free: int
) -> None:
    pacing = Pacing(slots)

    assert not pacing.may_call(pacing.lanes, endings, free, line_flows=True)
    assert not pacing.may_call(1, endings, free, line_flows=False)
    assert not pacing.may_call(1, 1, 0, line_flows=True)


@given(slots, some, st.integers(-10, 5000), pauses)
def test_calls_ask_for_no_more_than_is_free_and_two_for_all(
    slots: int, endings: int, free: int, idle: float
) -> None:
    pacing = Pacing(slots)

    _, want = pacing.load(0, endings, free, line_flows=True, idle=idle)

    assert 0 <= want <= max(0, free)
    assert pacing.lanes * pacing.half >= min(slots, 2 * MOST_WANTED)
