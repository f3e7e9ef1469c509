"""Cron expressions fall due when BullMQ's parser says so: the table that it computed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from framework.errors import ScheduleError
from framework.model.cron_fields import read_cron
from framework.model.schedule import Cron
from framework.wire.cron import next_ms
from framework.wire.millis import instant_from_ms, instant_to_ms
from tests.support.cron_table import ONLY_NODE, CronRow, cases, from_words, read_table

ROWS = read_table()


def due(expression: str, tz: str, after_ms: int, count: int) -> list[int]:
    """The next several times of an expression."""
    found: list[int] = []
    while len(found) < count:
        ms = next_ms(expression, tz, found[-1] if found else after_ms)
        if ms is None:
            break
        found.append(ms)
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.case.expression} {row.case.tz}")
def test_an_expression_falls_due_when_node_says_or_is_refused(row: CronRow) -> None:
    expression, tz, _ = row.case

    if isinstance(row.six, str) or expression in ONLY_NODE:
        with pytest.raises(ScheduleError, match="cannot be used: "):
            Cron(expression, tz)
        return

    assert due(Cron(expression, tz).expression, tz, row.case.after_ms, len(row.six)) == row.six


def test_the_table_has_every_case() -> None:
    assert [row.case for row in ROWS] == cases()
    assert sum(not isinstance(row.six, str) for row in ROWS) >= 200


def test_both_bullmq_agree_where_a_month_has_no_say_over_a_week() -> None:
    """What differs there is the day fields together, `?` elsewhere, and a list that repeats."""
    differ = {row.case.expression for row in ROWS if row.six != row.five}

    assert "0 0 13 * 5" not in differ
    assert "0 0 1-31 * 1" in differ


def test_a_zone_that_moves_by_half_an_hour_keeps_its_schedule() -> None:
    """BullMQ's parsers give up on such a day."""
    zone = "Australia/Lord_Howe"
    after = instant_to_ms(datetime(2027, 10, 2, 12, tzinfo=ZoneInfo(zone)))

    found = due("15 3 * * *", zone, after, 3)

    assert [instant_from_ms(ms).astimezone(ZoneInfo(zone)).hour for ms in found] == [3, 3, 3]


def test_an_expression_without_five_fields_is_read_as_node_stored_it() -> None:
    assert due("* *", "UTC", 0, 1) == [60_000]


def test_what_falls_due_never_has_no_time() -> None:
    assert next_ms("0 0 31 2 *", "UTC", 0) is None


def test_a_leap_day_is_found_across_a_century_without_one() -> None:
    after = instant_to_ms(datetime(2096, 3, 1, tzinfo=UTC))

    assert due("0 0 29 2 *", "UTC", after, 1) == from_words(["2104-02-29T00:00:00Z"])


def test_a_time_is_found_from_any_part_of_a_second() -> None:
    for ms in range(0, 1000, 250):
        assert next_ms("* * * * * *", "UTC", ms) == 1000


def test_a_list_that_repeats_is_refused_here_and_read_where_bullmq_5_stored_it() -> None:
    with pytest.raises(ScheduleError, match="the day of the week 0 stands twice"):
        Cron("0 9 * * 0,7")

    assert due("0 9 * * 0,7", "UTC", 0, 1) == due("0 9 * * 0", "UTC", 0, 1)


def test_names_are_read_in_any_case() -> None:
    assert read_cron("0 0 * JAN Mon") == read_cron("0 0 * jan 1")


def test_the_error_names_the_cause_and_the_fix() -> None:
    with pytest.raises(ScheduleError) as raised:
        Cron("0 25 * * *")

    assert str(raised.value) == (
        "the cron expression '0 25 * * *' cannot be used: "
        '"25" is out of the range of the field hour. '
        'Write 0 to 23: "0 9 * * 1-5" is 9:00 from Monday to Friday, "30 0 9 * * *" half a minute '
        "after 9:00 each day"
    )


def test_a_search_ends_soon_where_the_clocks_change() -> None:
    after = datetime(2027, 10, 28, 21, 20, 0, 500_000, tzinfo=UTC)

    for minutes in range(0, 300, 7):
        start = instant_to_ms(after + timedelta(minutes=minutes))
        assert next_ms("59 * * * *", "Africa/Cairo", start) is not None


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("UTC+3", 9),
        ("utc", 12),
        ("utc+05:45", 6),
        ("UTC-03", 15),
        ("europe/berlin", 11),
        ("local", 12),
    ],
)
def test_a_zone_is_known_by_every_name_that_node_takes(zone: str, hour: int) -> None:
    """What Node's parser said of them, on a machine whose clock shows UTC."""
    after = instant_to_ms(datetime(2026, 11, 22, 1, tzinfo=UTC))

    due_ms = next_ms("0 12 * * *", zone, after)

    assert due_ms is not None
    assert instant_from_ms(due_ms).hour == hour


@pytest.mark.parametrize("zone", ["GMT+2", "+05:30", "Z", "Nowhere/City", "Europe", "utc+99"])
def test_a_name_that_node_does_not_take_either_is_no_zone(zone: str) -> None:
    with pytest.raises(ScheduleError):
        next_ms("0 12 * * *", zone, 0)
