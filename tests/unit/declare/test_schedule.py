"""Declaring jobs at set times: what is refused, where, and how it is put right."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from framework import Cron, Every, Job, Schedule, cron, handles, processor
from framework.app.routes import Routes
from framework.app.schedules import resolve_schedules
from framework.declare.schedule import ScheduleSpec, check_unmarked
from framework.declare.spec import resolve
from framework.errors import ScheduleError


class Digest(BaseModel):
    to: str = "all"


class Letter(BaseModel):
    to: str


@processor("mail")
class Mail:
    async def process(self, job: Job[Digest]) -> None: ...

    @handles("letter")
    async def letter(self, job: Job[Letter]) -> None: ...


def specs_of(target: Any, *schedules: Schedule[Any]) -> tuple[ScheduleSpec, ...]:  # noqa: ANN401 - a class or a function
    processors = (resolve(target),)
    return resolve_schedules(schedules, processors, Routes(processors))


def test_a_schedule_goes_where_its_payload_goes() -> None:
    (spec,) = specs_of(Mail, Schedule("daily", Cron("0 9 * * *"), Letter(to="ada"), attempts=3))

    assert (spec.queue, spec.plan.name, spec.plan.data) == ("mail", "letter", b'{"to":"ada"}')
    assert spec.plan.template["attempts"] == 3


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Cron("0 9 * *"), "it has 4 fields. Write one of @yearly"),
        (lambda: Cron("0 9 * * *", tz="Rome"), "tz='Rome' is no time zone. Write a name such as"),
        (lambda: Cron("0 0 31 4 *"), "none of its months has such a day. Write L for"),
        (lambda: Every(timedelta(0)), "is no time. Write at least a millisecond"),
        (lambda: Every(timedelta(microseconds=1500)), "Write whole milliseconds"),
        (lambda: Every(timedelta(1), offset=timedelta(1)), "Write an offset that"),
        (lambda: Every(5), "is no timedelta. Write timedelta"),  # type: ignore[arg-type]  # what is refused
    ],
)
def test_times_that_cannot_be_say_what_to_write(make: Any, problem: str) -> None:  # noqa: ANN401 - calls of all kinds
    with pytest.raises(ScheduleError) as raised:
        make()

    assert problem in str(raised.value)


NAIVE = datetime(2030, 1, 1)  # noqa: DTZ001 - what is refused
AWARE = datetime(2030, 1, 1, tzinfo=UTC)
HOURLY = Every(timedelta(hours=1))
DAILY = Cron("0 9 * * *")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Schedule("s", HOURLY, Digest(), start=NAIVE), "has no time zone"),
        (lambda: Schedule("s", HOURLY, Digest(), end=NAIVE), "has no time zone"),
        (lambda: Schedule("s", HOURLY, Digest(), start=AWARE, end=AWARE), "is not after start"),
        (lambda: Schedule("s", HOURLY, Digest(), limit=0), "limit=0"),
        (lambda: Schedule("s", HOURLY, Digest(), immediately=True), "the first run is at once"),
        (
            lambda: Schedule("s", DAILY, Digest(), immediately=True, start=AWARE),
            "both immediately and start",
        ),
        (lambda: Schedule("", HOURLY, Digest()), "the id '' cannot be a schedule's"),
        (lambda: Schedule("a:1795293109047", HOURLY, Digest()), "must not end in a colon"),
        (lambda: Schedule("s", HOURLY, Digest(), delay=timedelta(1)), "cannot have delay"),
        (lambda: Schedule("s", HOURLY, Digest(), job_id="x"), "cannot have job_id"),
        (lambda: Schedule("s", HOURLY, Digest(), attempts=-1), "attempts"),
        (lambda: Schedule("s", HOURLY, object()), "object"),
        (lambda: Schedule("s", HOURLY, Digest(), overlap="no"), 'Write "allow" or "skip"'),  # type: ignore[arg-type]  # what is refused
        (lambda: cron("61 * * * *"), "out of the range of the field minute"),
    ],
)
def test_a_bad_schedule_is_refused_where_it_is_written(make: Any, problem: str) -> None:  # noqa: ANN401 - calls of all kinds
    with pytest.raises(ScheduleError) as raised:
        make()

    assert problem in str(raised.value)
    assert raised.value.where.startswith("tests/unit/declare/test_schedule.py:")


def test_a_schedule_without_a_queue_says_so() -> None:
    with pytest.raises(ScheduleError, match=r'"lost": .*no queue takes dict.* Say which queue'):
        specs_of(Mail, Schedule("lost", HOURLY, {"a": 1}))

    (spec,) = specs_of(Mail, Schedule("found", HOURLY, {"a": 1}, queue="mail", name="raw"))
    assert (spec.queue, spec.plan.name, spec.plan.data) == ("mail", "raw", b'{"a":1}')


def test_two_schedules_of_one_id_are_refused() -> None:
    first, second = (Schedule("s", HOURLY, Digest()) for _ in range(2))

    with pytest.raises(ScheduleError, match='two schedules "s": one at tests/unit'):
        specs_of(Mail, first, second)


def test_a_payload_that_needs_arguments_is_refused() -> None:
    @processor("mail")
    @cron("0 9 * * *")
    async def letters(job: Job[Letter]) -> None: ...

    with pytest.raises(ScheduleError, match="takes Letter, which cannot be made without arguments"):
        specs_of(letters)


def test_marks_may_be_stacked_with_an_id_each() -> None:
    @cron("0 9 * * *", id="morning")
    @cron("0 21 * * *", id="evening", overlap="skip")
    @processor("mail")
    async def digests(job: Job[Digest]) -> None: ...

    morning, evening = specs_of(digests)

    assert (morning.plan.id, evening.plan.id) == ("morning", "evening")
    assert evening.plan.template["fw.overlap"] == "skip"
    assert "fw.overlap" not in morning.plan.template


def test_a_mark_on_a_class_without_a_catch_all_is_refused() -> None:
    @cron("0 9 * * *")
    @processor("mail")
    class Mail2:
        @handles("letter")
        async def letter(self, job: Job[Digest]) -> None: ...

    with pytest.raises(ScheduleError, match="does not say which of its jobs"):
        specs_of(Mail2)


def test_the_defaults_of_the_processor_are_its_schedules_too() -> None:
    @processor("mail", defaults={"attempts": 5, "delay": timedelta(seconds=1)})
    async def digests(job: Job[Digest]) -> None: ...

    (spec,) = specs_of(digests, Schedule("s", HOURLY, Digest()))

    assert spec.plan.template["attempts"] == 5
    assert "delay" not in spec.plan.template


def test_a_mark_on_what_handles_no_jobs_is_refused() -> None:
    @processor("mail")
    class Forgotten:
        async def process(self, job: Job[Digest]) -> None: ...

        @cron("0 9 * * *")
        async def tidy(self, job: Job[None]) -> None: ...

    with pytest.raises(
        ScheduleError, match=r"Forgotten\.tidy, which handles no jobs\. Put @handles"
    ):
        specs_of(Forgotten)


def test_a_mark_on_what_is_no_processor_is_refused() -> None:
    @cron("0 9 * * *")
    async def tidy(job: Job[None]) -> None: ...

    with pytest.raises(ScheduleError, match=r"tidy, which is no processor\. Put @processor"):
        check_unmarked(tidy)


@pytest.mark.parametrize(
    "make", [lambda **said: Schedule("s", HOURLY, Digest(), **said), partial(cron, "@daily")]
)
def test_what_becomes_of_missed_runs_is_one_of_two(make: Callable[..., object]) -> None:
    with pytest.raises(ScheduleError, match=r"missed='later'\. Write .skip. or"):
        make(missed="later")
