"""When calls leave and what they carry, whatever waits."""

from hypothesis import given
from hypothesis import strategies as st

from framework.store.transitions.exchange import MOST_WANTED
from framework.worker.pacing import Pacing

slots = st.integers(1, 5000)
some = st.integers(0, 6000)


@given(slots, some, st.integers(-10, 5000), st.booleans())
def test_nothing_is_held_back_while_no_call_is_under_way(
    slots: int, endings: int, free: int, line_flows: bool
) -> None:
    assert Pacing(slots).may_call(0, endings, free, line_flows=line_flows)


@given(slots, some, st.integers(0, 5000), st.booleans())
def test_what_a_call_leaves_goes_with_a_second_one_at_once(
    slots: int, endings: int, free: int, line_flows: bool
) -> None:
    pacing = Pacing(slots)

    sent = pacing.endings_to_send(0, endings, free, line_flows=line_flows)
    rest, still_free = endings - sent, free - pacing.jobs_to_ask_for(free)

    assert 0 <= sent <= endings
    assert not rest or pacing.may_call(1, rest, still_free, line_flows=line_flows)


@given(slots, some, some)
def test_a_lone_ending_waits_for_the_call_that_is_under_way(
    slots: int, endings: int, free: int
) -> None:
    pacing = Pacing(slots)

    assert not pacing.may_call(pacing.lanes, endings, free, line_flows=True)
    assert not pacing.may_call(1, endings, free, line_flows=False)
    assert not pacing.may_call(1, 1, 0, line_flows=True)


@given(slots, st.integers(-10, 5000))
def test_calls_ask_for_no_more_than_is_free_and_two_for_all(slots: int, free: int) -> None:
    pacing = Pacing(slots)

    assert 0 <= pacing.jobs_to_ask_for(free) <= max(0, free)
    assert pacing.lanes * pacing.half >= min(slots, 2 * MOST_WANTED)
