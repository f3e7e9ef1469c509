"""Times, to whole milliseconds and back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import OptionsError
from framework.wire.millis import MAX_DUE_MS, from_ms, instant_from_ms, instant_to_ms, to_ms

MS = timedelta(milliseconds=1)


@given(st.integers(0, MAX_DUE_MS))
def test_an_instant_comes_back_to_the_millisecond(ms: int) -> None:
    assert instant_to_ms(instant_from_ms(ms)) == ms


@given(st.integers(-(10**13), 10**13))
def test_a_span_comes_back_to_the_millisecond(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms


def test_a_part_of_a_millisecond_is_rounded_up() -> None:
    assert [to_ms(0.2 * MS), to_ms(1.2 * MS), to_ms(0 * MS)] == [1, 2, 0]


def test_the_zone_does_not_matter() -> None:
    there = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=9)))

    assert instant_to_ms(there) == instant_to_ms(there.astimezone(UTC))


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(OptionsError, match="no time zone"):
        instant_to_ms(datetime(2026, 11, 21))  # noqa: DTZ001 - that is the point
