"""The shared table of cron expressions: what Node's parsers make of each.

``python -m tests.support.cron_table`` has Node compute it anew.
"""

import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.support.node_process import node_binary

HERE = Path(__file__).parent
SCRIPT = HERE.parent / "interop" / "node" / "cron.js"
TABLE = HERE.parent / "unit" / "wire" / "cron_table.json"
HOW_MANY = 5
ROME, NEW_YORK, SYDNEY = "Europe/Rome", "America/New_York", "Australia/Sydney"

PLAIN = [
    "* * * * *", "*/5 * * * *", "*/7 * * * *", "0 * * * *", "30 * * * *", "0 9 * * *",
    "15 9 * * *", "0 9,17 * * *", "0 9-17 * * *", "0 9-17/2 * * *", "0/15 * * * *", "5/20 * * * *",
    "0 0 * * *", "59 23 * * *", "0 */6 * * *", "0 3/8 * * *", "10-20 4 * * *", "10-20/5,50 4 * * *",
    "1,2,3 1 * * *", "0 0 1 * *", "0 0 15 * *", "0 0 1,15 * *", "0 0 10-12 * *", "0 0 */10 * *",
    "0 0 1 1 *", "0 0 1 */3 *", "0 0 1 1,7 *", "0 0 1 jan *", "0 0 1 JAN,jul *",
    "0 0 1 mar-may *", "0 12 * nov-dec *", "30 8 1-7 * *", "*/30 22-23 * * *", "0 0 31 * *",
    "0 0 30 * *", "0 0 29 * *", "0 0 30 4,6 *", "0 0 31 1-12/2 *",
]  # fmt: skip
WEEKDAYS = [
    "0 9 * * 1-5", "0 9 * * MON-FRI", "0 9 * * mon,wed,fri", "0 9 * * 0", "0 9 * * 7",
    "0 9 * * sun", "0 9 * * 6,0", "0 9 * * 5-7", "0 9 * * 0-7", "0 9 * * 1-6/2", "0 9 * * */2",
    "0 9 * * 1-7/3", "0 9 * * 0-6", "0 9 * * ?", "0 9 ? * 1", "0 9 ? * ?", "? 9 * * *",
    "0 ? * * 1", "0 9 * ? 1", "0 9 * * */7", "0 9 * feb mon", "0 9 * 2-4 tue-thu",
]  # fmt: skip
EITHER_DAY = [
    "0 0 13 * 5", "0 0 1 * 1", "0 0 1,15 * 1-5", "0 0 1-7 * 1", "0 0 */2 * 1", "0 0 1-31 * 1",
    "0 0 */1 * 1", "0 0 13 * 0-6", "0 0 13 * */1", "0 0 31 2 1", "0 0 30 2 fri", "0 0 L * 1",
    "0 0 13 * 5L", "0 0 13 * 5#2", "0 0 L * 5#1", "0 0 L * 5L", "0 0 1 1 1", "0 0 15,L * 0",
]  # fmt: skip
SPECIAL = [
    "0 0 L * *", "0 0 15,L * *", "0 0 L,1 * *", "0 0 L 2 *", "0 0 l * *", "0 0 * * 5L",
    "0 0 * * FRIL", "0 0 * * 0L", "0 0 * * 7L", "0 0 * * 1,5L", "0 0 * * 1L,5L", "0 0 * * 5#1",
    "0 0 * * 5#2", "0 0 * * fri#3", "0 0 * * 5#4", "0 0 * * 5#5", "0 0 * * 0#1", "0 0 * * 7#2",
    "0 0 * * sun#5", "0 0 * 2 1#5", "0 0 * * *#2", "0 0 L 2,4 *", "0 12 L * ?", "0 0 * feb 2L",
]  # fmt: skip
SECONDS = [
    "* * * * * *", "*/10 * * * * *", "0 * * * * *", "30 * * * * *", "15,45 0 9 * * *",
    "0-10/5 30 9 * * *", "59 59 23 * * *", "59 59 23 31 12 *", "0 0 0 29 2 *", "5/25 */20 * * * *",
    "0 0 12 * * 1-5", "0 15 3 * * *", "1 2 3 4 5 *", "1 2 3 4 5 6", "0 0 0 L * *", "? ? ? ? ? ?",
    "0 0 0 1 jan sun",
]  # fmt: skip
SHORTHANDS = [
    "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly", "@minutely", "@secondly",
    "@weekdays", "@weekends",
]  # fmt: skip
SPACED = ["  0  9   * * *  ", "0\t9 * * *"]
REFUSED = [
    "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8", "* * * 0 *",
    "5-1 * * * *", "*/0 * * * *", "a * * * *", "* * * foo *", "* * * * monday", "1,,2 * * * *",
    ", * * * *", "1,1 * * * *", "0-5,3 * * * *", "*,5 * * * *", "* * * * 0,7", "* * * * L",
    "* * * * 5#6", "* * * * 5#0", "* * * * 1,5#2", "* * * * 1-5#2", "* * LW * *", "* * 15W * *",
    "* * * * * * *", "-1 * * * *", "1- * * * *", "/5 * * * *", "1/2/3 * * * *", "0 0 31 2 *",
    "0 0 30 2 *", "0 0 31 4,6,9,11 *", "@never", "1.5 * * * *", "* * * * L5", "0x1 * * * *",
]  # fmt: skip
# What Node takes, and means otherwise than it looks: refused here, by choice.
ONLY_NODE = ["1-5-9 * * * *", "0 0 5L * *", "* * * * 5L#2", "H * * * *", "0 0 * * mar", "* *"]

SPRING = {
    ROME: "2027-03-27T12:00:00Z",
    NEW_YORK: "2027-03-13T12:00:00Z",
    SYDNEY: "2027-10-01T20:00:00Z",
    "Africa/Cairo": "2027-04-28T20:00:00Z",
    "America/Santiago": "2027-09-04T12:00:00Z",
}
AUTUMN = {
    ROME: "2027-10-30T12:00:00Z",
    NEW_YORK: "2027-11-06T12:00:00Z",
    SYDNEY: "2027-04-02T20:00:00Z",
    "Atlantic/Azores": "2027-10-30T12:00:00Z",
    "America/Santiago": "2027-04-03T12:00:00Z",
}
IN_SPRING = ["30 2 * * *", "0 2,3 * * *", "*/20 * * * *", "0 0 * * *", "15 0-4 * * *", "30 1 * * *"]
IN_AUTUMN = ["30 2 * * *", "0 1 * * *", "*/30 * * * *", "0 0 * * *", "45 0-4 * * *", "30 23 * * *"]
IN_THE_HOUR = [
    ("30 1 * * *", NEW_YORK, "2027-11-07T05:30:00Z"),
    ("30 1 * * *", NEW_YORK, "2027-11-07T06:10:00Z"),
    ("*/15 * * * *", NEW_YORK, "2027-11-07T05:50:00Z"),
    ("*/15 1 * * *", NEW_YORK, "2027-11-07T05:40:00Z"),
    ("*/20 2 * * *", ROME, "2027-03-28T00:59:59Z"),
    ("*/20 2 * * *", ROME, "2027-03-28T01:00:00Z"),
]
YEAR_END = [
    ("0 0 1 1 *", "Asia/Tokyo", "2026-12-31T14:59:59Z"),
    ("59 59 23 31 12 *", "UTC", "2026-12-31T23:59:59Z"),
    ("0 0 29 2 *", "UTC", "2027-01-01T00:00:00Z"),
    ("0 0 29 2 *", ROME, "2096-03-01T00:00:00Z"),
    ("0 0 L 2 *", "Asia/Kolkata", "2027-12-31T00:00:00Z"),
    ("0 0 29 2 1", "UTC", "2027-01-01T00:00:00Z"),
    ("0 9 * * 1", "Asia/Kathmandu", "2026-12-30T00:00:00.500Z"),
    ("0 9 * * *", "Pacific/Apia", "2026-12-31T00:00:00.001Z"),
]
START = "2026-11-22T01:23:45.678Z"


class CronCase(NamedTuple):
    """An expression, its zone, and the moment after which it is asked."""

    expression: str
    tz: str
    after: str

    @property
    def after_ms(self) -> int:
        return round(datetime.fromisoformat(self.after).timestamp() * 1000)


class CronRow(NamedTuple):
    """A case and when it falls due; a text is the error of Node's parser.

    Attributes:
        six: As BullMQ 6 sees it.
        five: As BullMQ 5 does.
    """

    case: CronCase
    six: list[int] | str
    five: list[int] | str


def cases() -> list[CronCase]:
    """All of them, in their order."""
    groups = [PLAIN, WEEKDAYS, EITHER_DAY, SPECIAL, SECONDS, SHORTHANDS, SPACED, REFUSED, ONLY_NODE]
    found = [CronCase(each, "UTC", START) for group in groups for each in group]
    for zones, expressions in ((SPRING, IN_SPRING), (AUTUMN, IN_AUTUMN)):
        found += [CronCase(each, tz, after) for tz, after in zones.items() for each in expressions]
    return found + [CronCase(*each) for each in IN_THE_HOUR + YEAR_END]


def ask_node(asked: Sequence[CronCase]) -> list[CronRow]:
    """Let Node compute cases."""
    lines = [[each.expression, each.tz, each.after_ms, HOW_MANY] for each in asked]
    told = subprocess.run(  # noqa: S603 - our own script
        [node_binary(), str(SCRIPT)],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(told.stdout)
    return [CronRow(case, *answer) for case, answer in zip(asked, answers, strict=True)]


def read_table() -> list[CronRow]:
    """The table as it is committed."""
    rows = json.loads(TABLE.read_text())
    return [CronRow(CronCase(*row[:3]), *map(from_words, row[3:])) for row in rows]


def write_table() -> None:
    """Compute the table anew."""
    rows = [[*row.case, in_words(row.six), in_words(row.five)] for row in ask_node(cases())]
    lines = ",\n".join(json.dumps(row) for row in rows)
    TABLE.write_text(f"[\n{lines}\n]\n")


def in_words(due: list[int] | str) -> list[str] | str:
    """Instants as people read them."""
    if isinstance(due, str):
        return due
    return [datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for ms in due]


def from_words(told: list[str] | str) -> list[int] | str:
    """Instants as Redis holds them."""
    if isinstance(told, str):
        return told
    return [round(datetime.fromisoformat(each).timestamp() * 1000) for each in told]


if __name__ == "__main__":
    write_table()
