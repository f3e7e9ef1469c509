"""Schedulers as BullMQ's dictionaries describe them."""

import time
from typing import Any

import pytest

from framework import OptionsError, ScheduleError
from framework_bullmq import Job, JobScheduler
from tests.plugins.bullmq_api.bull import Bull
from tests.support.until import until

DAY = 86_400_000


async def test_an_interval_runs_at_once_and_again_and_again(bull: Bull) -> None:
    runs: list[tuple[Any, ...]] = []

    async def note(job: Job, token: str) -> None:
        runs.append((job.name, job.data, job.repeatJobKey, job.attempts))

    queue = bull.queue()
    run = await queue.upsertJobScheduler("s", {"every": 50}, "tick", {"n": 1}, {"attempts": 3})
    bull.worker(note)
    await until(lambda: len(runs) >= 3, message="it runs again")
    assert await queue.removeJobScheduler("s") == 0

    assert run is not None
    assert run.id.startswith("repeat:s:")
    assert runs[0] == ("tick", {"n": 1}, "s", 3)


async def test_a_scheduler_tells_what_it_is(bull: Bull) -> None:
    queue = bull.queue()
    await queue.upsertJobScheduler(
        "nightly",
        {
            "pattern": "0 3 * * *",
            "tz": "Europe/Rome",
            "limit": 9,
            "endDate": "2099-01-01T00:00:00Z",
        },
        "backup",
        {"all": True},
        {"priority": 2},
    )
    await queue.upsertJobScheduler("often", {"every": DAY, "offset": 5})

    nightly = await queue.getJobScheduler("nightly")
    often = await queue.getJobScheduler("often")

    assert nightly is not None
    assert nightly.pop("next") > time.time_ns() // 1_000_000
    assert nightly == {
        "key": "nightly",
        "name": "backup",
        "iterationCount": 1,
        "pattern": "0 3 * * *",
        "tz": "Europe/Rome",
        "limit": 9,
        "endDate": 4070908800000,
        "template": {"data": {"all": True}, "opts": {"priority": 2}},
    }
    assert often is not None
    assert (often["name"], often["every"], often["offset"]) == ("often", DAY, 5)
    assert await queue.getJobScheduler("nobody") is None


async def test_schedulers_are_listed_counted_and_removed(bull: Bull) -> None:
    queue = bull.queue()
    for n in (1, 2, 3):
        await queue.upsertJobScheduler(f"s{n}", {"every": DAY, "startDate": 4e12 + n * 1000})

    assert [one["key"] for one in await queue.getJobSchedulers()] == ["s3", "s2", "s1"]
    assert [one["key"] for one in await queue.getJobSchedulers(0, 1, True)] == ["s1", "s2"]
    assert await queue.getJobSchedulersCount() == 3
    assert (await queue.isJobScheduler("s1"), await queue.isJobScheduler("s9")) == (True, False)
    assert [await queue.removeJobScheduler("s1") for _ in range(2)] == [0, 1]


async def test_the_schedulers_of_a_queue_are_an_object_too(bull: Bull) -> None:
    queue = bull.queue()
    schedulers = JobScheduler(queue)

    run = await schedulers.upsertJobScheduler("s", {"every": DAY}, "tick")

    assert run is not None
    assert await schedulers.getSchedulersCount() == 1
    assert await schedulers.isJobScheduler("s") is True
    assert (await schedulers.getScheduler("s") or {})["name"] == "tick"
    assert len(await schedulers.getJobSchedulers()) == 1
    assert await schedulers.removeJobScheduler("s") == 0
    assert queue.jobScheduler is queue.job_scheduler


async def test_one_that_is_there_may_be_left_as_it_is(bull: Bull) -> None:
    queue = bull.queue()
    await queue.upsertJobScheduler("s", {"every": DAY}, "first")

    left = await queue.upsertJobScheduler("s", {"every": 1000}, "second", override=False)
    ended = await queue.upsertJobScheduler("e", {"pattern": "* * * * *", "endDate": 1000})

    assert (left, ended) == (None, None)
    found = await queue.getJobScheduler("s")
    assert found is not None
    assert (found["name"], found["every"]) == ("first", DAY)
    assert await queue.isJobScheduler("e") is False


@pytest.mark.parametrize(
    ("repeat", "text"),
    [
        ({}, "give pattern"),
        ({"every": 5, "pattern": "* * * * *"}, "cannot be used together with pattern"),
        ({"pattern": "* * * * *", "immediately": True, "startDate": 5}, "together with startDate"),
        ({"every": 5, "tz": "UTC"}, "no time zone"),
        ({"pattern": "* * * * *", "offset": 5}, "it goes with every"),
        ({"every": 5, "count": 3}, "the scheduler itself counts"),
        ({"every": 5, "startDate": "soon"}, "no ISO 8601 date"),
    ],
)
async def test_a_scheduler_that_cannot_be_is_refused(
    bull: Bull, repeat: dict[str, Any], text: str
) -> None:
    with pytest.raises(OptionsError, match=text):
        await bull.queue().upsertJobScheduler("s", repeat)


async def test_what_no_clock_shows_is_refused(bull: Bull) -> None:
    with pytest.raises(ScheduleError):
        await bull.queue().upsertJobScheduler("s", {"pattern": "x"})
    with pytest.raises(OptionsError, match="producer_id"):
        await bull.queue().upsertJobScheduler("s", {"every": 5}, producer_id="1")
    with pytest.raises(OptionsError, match="repeat_strategy"):
        JobScheduler(bull.queue(), repeat_strategy=lambda: 5)
