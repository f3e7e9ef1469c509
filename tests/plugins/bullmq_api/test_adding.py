"""Adding jobs as BullMQ's Python programs do."""

import asyncio
import datetime
import json
from typing import Any

import pytest

from framework import JobState, OptionsError, PayloadError
from framework.store.store import Store
from framework_bullmq import Job, Queue
from tests.plugins.bullmq_api.bull import Bull, state_is


async def stored(store: Store, bull: Bull, job_id: str, queue: str = "q") -> dict[str, Any]:
    """A job's hash, its JSON read."""
    flat = await store.command("HGETALL", f"{bull.prefix}:{queue}:{job_id}")
    fields = {name.decode(): text.decode() for name, text in flat.items()}
    return {**fields, "opts": json.loads(fields["opts"])}


async def test_a_job_is_added_and_read_again(bull: Bull) -> None:
    queue = bull.queue()

    added = await queue.add("paint", {"color": "red"}, {"attempts": 3, "delay": 5000})
    found = await queue.getJob(added.id)

    assert found is not None
    for job in (added, found):
        assert (job.id, job.name, job.data) == ("1", "paint", {"color": "red"})
        assert job.opts == {"attempts": 3, "delay": 5000, "backoff": None}
        assert (job.attempts, job.delay, job.priority, job.progress) == (3, 5000, 0, 0)
        assert (job.returnvalue, job.failedReason, job.stacktrace) == (None, None, [])
        assert (job.attemptsMade, job.processedOn, job.finishedOn) == (0, 0, 0)
        assert job.queueQualifiedName == f"{bull.prefix}:q"
    assert added.timestamp == found.timestamp
    assert await queue.getJob("99") is None
    assert await Job.fromId(queue, "1") is not None


async def test_options_stand_in_redis_as_bullmq_words_them(bull: Bull, store: Store) -> None:
    options: dict[str, Any] = {
        "attempts": 2,
        "backoff": {"type": "exponential", "delay": 1000, "jitter": 0.5},
        "delay": 10,
        "jobId": "own",
        "keepLogs": 3,
        "priority": 7,
        "removeOnComplete": 5,
        "removeOnFail": {"age": 60, "count": 9},
        "stackTraceLimit": 2,
        "timestamp": 1000,
    }
    await bull.queue().add("n", None, options)

    fields = await stored(store, bull, "own")
    assert {**fields["opts"], "keepLogs": 3} == {**options, "kl": 3}
    assert (fields["data"], fields["timestamp"], fields["priority"]) == ("null", "1000", "7")
    found = await bull.queue().getJob("own")
    assert found is not None
    del options["timestamp"]
    assert (found.opts, found.timestamp) == (options, 1000)


async def test_a_job_that_asked_to_be_kept_says_so(bull: Bull) -> None:
    queue = bull.queue()
    added = await queue.add("n", None, {"removeOnComplete": False, "removeOnFail": False})

    found = await queue.getJob(added.id)

    assert found is not None
    for job in (added, found):
        assert (job.opts["removeOnComplete"], job.opts["removeOnFail"]) == (False, False)


async def test_jobs_are_kept_and_parents_left_alone_unless_it_is_asked(
    bull: Bull, store: Store
) -> None:
    queue = bull.queue()
    parent = await queue.add("parent")
    above = {"parent": {"id": parent.id, "queue": parent.queueQualifiedName}}

    await queue.add("child", {}, above)
    await queue.add("child", {}, {**above, "ignoreDependencyOnFailure": True})

    silent, telling = [await stored(store, bull, one) for one in ("2", "3")]
    assert not {"removeOnComplete", "removeOnFail"} & silent["opts"].keys()
    assert not {"fpof", "cpof", "idof", "rdof"} & silent["opts"].keys()
    assert json.loads(silent["parent"]) == {"id": "1", "queueKey": f"{bull.prefix}:q"}
    assert telling["opts"]["idof"] is True
    child = await queue.getJob("3")
    assert child is not None
    assert child.parent == {"id": "1", "queueKey": f"{bull.prefix}:q"}
    assert child.parentKey == f"{bull.prefix}:q:1"
    assert child.opts["parent"] == {"id": "1", "queue": f"{bull.prefix}:q"}
    assert child.opts["ignoreDependencyOnFailure"] is True


async def test_every_option_has_two_spellings(bull: Bull) -> None:
    queue = Queue(
        "q",
        {
            "connection": bull.url,
            "prefix": bull.prefix,
            "default_job_options": {"remove_on_complete": 3, "stack_trace_limit": 1},
        },
    )
    job = await queue.add("n", {}, {"job_id": "a", "keep_logs": 2, "backoff": 50})

    assert job.opts == {
        "attempts": 1,
        "delay": 0,
        "removeOnComplete": 3,
        "stackTraceLimit": 1,
        "jobId": "a",
        "keepLogs": 2,
        "backoff": {"type": "fixed", "delay": 50},
    }
    assert (job.attempts_made, job.queue_qualified_name) == (0, f"{bull.prefix}:q")
    await queue.close()


async def test_many_are_added_at_once(bull: Bull) -> None:
    queue = bull.queue(defaultJobOptions={"priority": 2})

    jobs = await queue.addBulk(
        [{"name": "a", "data": 1}, {"name": "b", "opts": {"delay": 1000}}, {"name": "c"}]
    )

    assert [(job.id, job.name, job.data) for job in jobs] == [
        ("1", "a", 1),
        ("2", "b", None),
        ("3", "c", None),
    ]
    assert await queue.getJobState("2") == JobState.DELAYED
    assert await queue.getCountsPerPriority([0, 2]) == {"0": 0, "2": 2}


async def test_a_second_job_of_a_deduplication_id_is_not_added(bull: Bull) -> None:
    queue = bull.queue()

    first = await queue.add("n", {"v": 1}, {"deduplication": {"id": "d", "ttl": 60_000}})
    second = await queue.add("n", {"v": 2}, {"deduplication": {"id": "d", "ttl": 60_000}})

    assert (first.id, second.id) == ("1", "1")
    assert await queue.getDeduplicationJobId("d") == "1"
    assert await queue.getDeduplicationJobId("e") is None
    found = await queue.getJob("1")
    assert found is not None
    assert (found.deduplicationId, found.deduplication_id) == ("d", "d")
    assert found.opts["deduplication"] == {"id": "d", "ttl": 60_000}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"atempts": 3}, "did you mean attempts"),
        ({"repeat": {"every": 5}}, "upsertJobScheduler"),
        ({"debounce": {"id": "d"}}, "its name is deduplication"),
        ({"attempts": -1}, "attempts: it is a whole number"),
        ({"delay": -5}, "delay: it must not be negative"),
        ({"delay": "5"}, "number of milliseconds"),
        ({"jobId": "7"}, "job_id"),
        ({"jobId": "a", "job_id": "b"}, "given in both spellings"),
        ({"backoff": {"delay": 5}}, "its type is a name"),
        ({"failParentOnFailure": True}, "nobody to tell"),
        ({"parent": {"id": "1"}}, "an id and a queue"),
        ({"parent": {"id": "1", "queue": "other:q"}}, "share one prefix"),
        (
            {"failParentOnFailure": True, "removeDependencyOnFailure": True},
            "cannot be used together",
        ),
        ("attempts", "its options are a dictionary"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_a_reason(
    bull: Bull,
    options: Any,  # noqa: ANN401 - whatever a caller may write
    text: str,
) -> None:
    queue = bull.queue()

    with pytest.raises(OptionsError, match=text):
        await queue.add("n", {}, options)

    assert await queue.getJobCountByTypes() == 0


async def test_data_and_results_may_hold_what_json_has_words_for(bull: Bull) -> None:
    queue = bull.queue()
    bull.worker(lambda job: {datetime.date(2027, 1, 2)})

    job = await queue.add("n", {"on": datetime.date(2027, 1, 1), "tags": {"a"}})
    await state_is(job, "completed")

    found = await queue.getJob(job.id)
    assert found is not None
    assert found.data == {"on": "2027-01-01", "tags": ["a"]}
    assert found.returnvalue == ["2027-01-02"]


async def test_data_that_is_no_json_is_refused(bull: Bull) -> None:
    with pytest.raises(PayloadError):
        await bull.queue().add("n", {"e": float("nan")})


async def test_a_child_of_nobody_is_refused_in_bullmqs_words(bull: Bull) -> None:
    above = {"parent": {"id": "nobody", "queue": f"{bull.prefix}:q"}}

    with pytest.raises(TypeError, match="Missing key for parent job"):
        await bull.queue().add("n", {}, above)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"skipVersionCheck": True}, "asks a server for what it can do"),
        ({"skipWaitingForReady": False}, "no longer of use in BullMQ either"),
        ({"telemetry": object()}, "interface of BullMQ"),
        ({"conection": "redis://localhost"}, "did you mean connection"),
        ({"connection": 7}, "got a int"),
        ({"connection": "postgresql://localhost/jobs"}, "Redis alone"),
    ],
)
def test_options_of_a_queue_without_meaning_are_refused(option: Any, text: str) -> None:  # noqa: ANN401 - as above
    with pytest.raises(OptionsError, match=text):
        Queue("q", option)


MADE_BEFORE = Queue("early")


def test_a_queue_is_made_without_a_loop() -> None:
    assert MADE_BEFORE.qualifiedName == "bull:early"
    assert MADE_BEFORE.keys["wait"] == MADE_BEFORE.toKey("wait") == "bull:early:wait"


def test_a_queue_follows_from_loop_to_loop(redis_url: str, prefix: str) -> None:
    queue = Queue("q", {"connection": redis_url, "prefix": prefix})

    async def add() -> str:
        job = await queue.add("n")
        await queue.close()
        return str(job.id)

    assert [asyncio.run(add()), asyncio.run(add())] == ["1", "2"]
