"""Each function of the Queue channel: what it takes, what it returns, what it refuses."""

import os
import signal
from datetime import timedelta
from typing import Any

import pytest

from framework import JobState, Queue
from framework.server import EmbeddedServer
from framework_gateway import Gateway, start_gateway
from tests.plugins.gateway.clients import Client, client
from tests.support.apps import settings_of
from tests.support.until import until

HOUR_MS = 3_600_000


@pytest.fixture
async def asks(gateway: Gateway) -> Any:  # noqa: ANN401 - a fixture
    async with client(gateway, "/queue/demo") as one:
        yield one


async def held(queue: Queue, **options: Any) -> Any:  # noqa: ANN401 - whatever options hold
    """Add a job and hold it by hand."""
    await queue.add("n", {"a": 1}, **options)
    job = await queue.next_job("mine")
    assert job is not None
    return job


@pytest.mark.parametrize("args", [["n", {"a": 1}], ["n", {"a": 1}, None], ["n", {"a": 1}, {}]])
async def test_add_takes_two_or_three_arguments(asks: Client, args: list[Any]) -> None:
    job = await asks.ok("add", *args)

    assert (job["id"], job["name"], job["data"], job["opts"]["attempts"]) == ("1", "n", {"a": 1}, 0)


@pytest.mark.parametrize("data", [None, 0, False, "", [], "text", 1.5, {"deep": [{}]}])
async def test_any_json_is_data(asks: Client, queue: Queue, data: object) -> None:
    job = await asks.ok("add", "n", data)

    found = await queue.job(job["id"])
    assert found is not None
    assert job["data"] == data == found.data


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "name is required"),
        (["n"], "data is required"),
        (["", 1], "name is required"),
        ([5, 1], "Invalid name 5, must be a string"),
        (["n", 1, {}, 4], "at most 3 arguments, got 4"),
        (["n", 1, 5], "Invalid opts 5, must be an object"),
        (["n", 1, {"foo": 1}], "Unexpected field: opts.foo"),
        (["n", 1, {"delay": -5}], "Invalid delay -5"),
        (["n", 1, {"attempts": "x"}], "Invalid attempts x"),
        (["n", 1, {"priority": 2097152}], "Invalid priority 2097152"),
        (["n", 1, {"lifo": "x"}], "Invalid lifo x, must be a boolean"),
        (["n", 1, {"jobId": "12"}], "Custom Id cannot be integers"),
        (["n", 1, {"jobId": "a:b"}], "Custom Id cannot contain :"),
        (["n", 1, {"backoff": {}}], "Invalid backoff {}, must be a number or an object with"),
    ],
)
async def test_what_cannot_be_added_is_told_and_not_stored(
    asks: Client, queue: Queue, args: list[Any], says: str
) -> None:
    code, message = await asks.refused("add", *args)

    assert (code, message[: len(says)]) == ("EARGS", says)
    assert sum((await queue.counts()).values()) == 0


async def test_options_are_kept_as_they_were_asked_for(asks: Client) -> None:
    opts = {"attempts": 3, "delay": HOUR_MS, "backoff": {"type": "fixed", "delay": 10}}

    job = await asks.ok("add", "n", 1, opts)

    assert job["opts"] == opts
    assert job["delay"] == HOUR_MS


async def test_a_custom_id_is_added_once(asks: Client) -> None:
    first = await asks.ok("add", "n", 1, {"jobId": "mine"})
    second = await asks.ok("add", "n", 2, {"jobId": "mine"})

    assert first["id"] == second["id"] == "mine"
    assert await asks.ok("count") == 1


async def test_add_bulk_adds_all_or_nothing(asks: Client) -> None:
    jobs = await asks.ok("addBulk", [{"name": "a", "data": 1}, {"name": "b", "data": 2}])
    refusal = await asks.refused("addBulk", [{"name": "a", "data": 1}, {"name": "b"}])

    assert [(job["id"], job["name"], job["data"]) for job in jobs] == [("1", "a", 1), ("2", "b", 2)]
    assert refusal == ("EARGS", "data is required")
    assert await asks.ok("count") == 2
    assert await asks.ok("addBulk", []) == []
    assert (await asks.refused("addBulk"))[0] == "EARGS"
    assert (await asks.refused("addBulk", {}))[0] == "EARGS"
    assert await asks.refused("addBulk", [5]) == ("EARGS", "Job must be an object")


async def test_get_job_returns_a_job_or_null(asks: Client, prefix: str) -> None:
    added = await asks.ok("add", "n", {"a": 1}, {"attempts": 2})

    found = await asks.ok("getJob", added["id"])

    assert found == {**added, "stacktrace": [], "delay": 0}
    assert found["queueQualifiedName"] == f"{prefix}:demo"
    assert await asks.ok("getJob", "nobody") is None
    assert (await asks.refused("getJob"))[0] == "EARGS"
    assert (await asks.refused("getJob", 1))[0] == "EARGS"
    assert (await asks.refused("getJob", "1", 2))[0] == "EARGS"


async def test_what_comes_later_in_life_is_told(asks: Client, queue: Queue) -> None:
    job = await held(queue, attempts=2)
    await job.fail("boom")
    again = await queue.next_job("mine")
    assert again is not None
    await again.complete({"ok": True})

    found = await asks.ok("getJob", job.id)

    assert (found["returnvalue"], found["failedReason"]) == ({"ok": True}, "boom")
    assert (found["attemptsMade"], found["attemptsStarted"]) == (2, 2)
    assert found["processedOn"] <= found["finishedOn"]
    assert len(found["stacktrace"]) == 1
    assert "token" not in found


async def test_a_job_tells_its_state(asks: Client, queue: Queue) -> None:
    await queue.add("n", 1, delay=timedelta(hours=1), job_id="is-delayed")
    await queue.add("n", 1, priority=1, job_id="is-prioritized")
    await queue.add("n", 1, job_id="is-waiting")

    for state in ("delayed", "prioritized", "waiting"):
        assert await asks.ok("getJobState", f"is-{state}") == state
    assert await asks.ok("getJobState", "nobody") == "unknown"
    assert (await asks.refused("getJobState"))[0] == "EARGS"


async def test_jobs_are_listed_by_types(asks: Client, queue: Queue) -> None:
    await queue.add_bulk([("n", number) for number in range(3)])
    await queue.add("n", "later", delay=timedelta(hours=1))

    def ids(jobs: list[Any]) -> list[str]:
        return [job["id"] for job in jobs]

    assert ids(await asks.ok("getJobs", "waiting", 0, -1, True)) == ["1", "2", "3"]
    assert ids(await asks.ok("getJobs", "waiting", 0, 1)) == ["3", "2"]
    assert ids(await asks.ok("getJobs", ["delayed"])) == ["4"]
    assert sorted(ids(await asks.ok("getJobs"))) == ["1", "2", "3", "4"]
    assert sorted(ids(await asks.ok("getJobs", None, 0, -1, False))) == ["1", "2", "3", "4"]
    assert await asks.refused("getJobs", "foo") == ("EARGS", "Invalid type foo")
    assert (await asks.refused("getJobs", 5))[0] == "EARGS"
    assert (await asks.refused("getJobs", "waiting", "0"))[0] == "EARGS"
    assert (await asks.refused("getJobs", "waiting", 0, -1, 1))[0] == "EARGS"
    assert (await asks.refused("getJobs", "waiting", 0, -1, True, 1))[0] == "EARGS"


async def test_jobs_are_counted(asks: Client, queue: Queue) -> None:
    await queue.add("n", 1)
    await queue.add("n", 1, delay=timedelta(hours=1))

    assert await asks.ok("getJobCounts") == {
        "active": 0,
        "completed": 0,
        "delayed": 1,
        "failed": 0,
        "paused": 0,
        "prioritized": 0,
        "waiting": 1,
        "waiting-children": 0,
    }
    assert await asks.ok("getJobCounts", "delayed", "failed") == {"delayed": 1, "failed": 0}
    assert await asks.refused("getJobCounts", "foo") == ("EARGS", "Invalid type foo")
    assert await asks.ok("count") == 2
    assert (await asks.refused("count", 1))[0] == "EARGS"


async def test_a_queue_is_paused_and_resumed(asks: Client, queue: Queue) -> None:
    await queue.add("n", 1)

    assert await asks.ok("pause") is None
    assert await asks.ok("isPaused") is True
    assert await asks.ok("getJobCounts", "paused", "waiting") == {"paused": 1, "waiting": 0}
    assert await asks.ok("resume") is None
    assert await asks.ok("isPaused") is False
    for fn in ("pause", "resume", "isPaused"):
        assert (await asks.refused(fn, 1))[0] == "EARGS"


@pytest.mark.parametrize("fn", ["addJobLog", "jobLog"])
async def test_rows_are_logged_and_read(asks: Client, queue: Queue, fn: str) -> None:
    job = await queue.add("n", 1)

    assert await asks.ok(fn, job.id, "one") == 1
    assert await asks.ok(fn, job.id, "two") == 2
    assert await asks.ok("getJobLogs", job.id) == {"logs": ["one", "two"], "count": 2}
    assert await asks.ok("getJobLogs", job.id, 0, 0) == {"logs": ["one"], "count": 2}
    assert await asks.ok("getJobLogs", job.id, 0, -1, False) == {"logs": ["two", "one"], "count": 2}
    assert await asks.ok(fn, job.id, "three", 1) == 1
    assert await asks.ok("getJobLogs", "nobody") == {"logs": [], "count": 0}
    assert (await asks.refused(fn, "nobody", "row"))[0] == "EJOB"
    assert (await asks.refused(fn, job.id, 5))[0] == "EARGS"
    assert (await asks.refused(fn, job.id))[0] == "EARGS"
    assert (await asks.refused(fn, job.id, "row", -1))[0] == "EARGS"


@pytest.mark.parametrize("fn", ["updateJobProgress", "jobProgress"])
@pytest.mark.parametrize("progress", [50, "half", {"pct": 1}, [1], False, 0])
async def test_progress_is_stored(asks: Client, queue: Queue, fn: str, progress: object) -> None:
    job = await queue.add("n", 1)

    assert await asks.ok(fn, job.id, progress) is None

    assert (await asks.ok("getJob", job.id))["progress"] == progress


async def test_progress_of_nothing_or_null_is_refused(asks: Client, queue: Queue) -> None:
    job = await queue.add("n", 1)

    assert (await asks.refused("updateJobProgress", "nobody", 5))[0] == "EJOB"
    assert (await asks.refused("updateJobProgress", job.id, None))[0] == "EARGS"
    assert (await asks.refused("updateJobProgress", job.id))[0] == "EARGS"


async def test_workers_are_listed_with_their_names(asks: Client, gateway: Gateway) -> None:
    async with (
        client(gateway, "/queue/demo/process/1?name=far%20away"),
        client(gateway, "/queue/demo/process/1"),
        client(gateway, "/queue/other/process/1"),
    ):
        found = await asks.ok("getWorkers")

    assert sorted(one["name"] for one in found) == ["", "far-away"]
    assert all(set(one) >= {"id", "name"} and one["id"].isdigit() for one in found)

    async def nobody() -> bool:
        return not await asks.ok("getWorkers")

    await until(nobody, message="they are gone")


async def test_a_job_is_removed(asks: Client, queue: Queue) -> None:
    job = await queue.add("n", 1)
    locked = await held(queue)

    assert await asks.ok("remove", "nobody") == 0
    assert await asks.ok("remove", locked.id) == 0
    await locked.move_to_wait()
    assert await asks.ok("remove", locked.id) == 1
    if locked.id != job.id:
        assert await asks.ok("remove", job.id, {"removeChildren": False}) == 1
    assert (await asks.refused("remove"))[0] == "EARGS"
    assert (await asks.refused("remove", "1", {"x": 1}))[0] == "EARGS"
    assert (await asks.refused("remove", "1", {"removeChildren": 1}))[0] == "EARGS"


async def test_failed_jobs_are_run_again(asks: Client, queue: Queue) -> None:
    job = await held(queue)
    await job.fail("boom")

    assert await asks.ok("retryJobs", {"state": "failed", "count": 10}) is None
    assert await asks.ok("getJobState", job.id) == "waiting"
    assert (await asks.refused("retryJobs", {"state": "waiting"}))[0] == "EARGS"
    assert (await asks.refused("retryJobs", {"count": 0}))[0] == "EARGS"
    assert await asks.ok("retryJobs") is None


async def test_a_timestamp_says_which_failed_jobs_run_again(asks: Client, queue: Queue) -> None:
    job = await held(queue)
    await job.fail("boom")

    await asks.ok("retryJobs", {"timestamp": 1000})
    before = await asks.ok("getJobState", job.id)
    await asks.ok("retryJobs", {"timestamp": 2_000_000_000_000})

    assert (before, await asks.ok("getJobState", job.id)) == ("failed", "waiting")


async def test_one_job_is_run_again(asks: Client, queue: Queue) -> None:
    job = await held(queue)
    assert (await asks.refused("retryJob", job.id))[0] == "EJOB"
    await job.fail("boom")

    assert await asks.ok("retryJob", job.id) is None
    assert await asks.ok("getJobState", job.id) == "waiting"
    assert (await asks.refused("retryJob", "nobody"))[0] == "EJOB"


async def test_delayed_jobs_are_promoted(asks: Client, queue: Queue) -> None:
    first = await queue.add("n", 1, delay=timedelta(hours=1))
    second = await queue.add("n", 1, delay=timedelta(hours=1))

    assert await asks.ok("promoteJob", first.id) is None
    assert await asks.ok("getJobState", first.id) == "waiting"
    assert (await asks.refused("promoteJob", first.id))[0] == "EJOB"
    assert (await asks.refused("promoteJob", "nobody"))[0] == "EJOB"
    assert await asks.ok("promoteJobs", {"count": 5}) is None
    assert await asks.ok("getJobState", second.id) == "waiting"
    assert (await asks.refused("promoteJobs", {"count": "x"}))[0] == "EARGS"


async def test_a_queue_is_drained(asks: Client, queue: Queue) -> None:
    await queue.add("n", 1)
    await queue.add("n", 1, delay=timedelta(hours=1))

    assert await asks.ok("drain") is None
    assert await asks.ok("count") == 1
    assert await asks.ok("drain", True) is None
    assert await asks.ok("count") == 0
    assert (await asks.refused("drain", "yes"))[0] == "EARGS"


async def test_finished_jobs_are_cleaned(asks: Client, queue: Queue) -> None:
    job = await held(queue)
    await job.complete(1)

    assert await asks.ok("clean", HOUR_MS, 100) == []
    assert await asks.ok("clean", 0, 100, "completed") == [job.id]
    assert await asks.ok("clean", 0, 100, "failed") == []
    assert (await asks.refused("clean", 0, 100, "foo")) == ("EARGS", "Invalid type foo")
    assert (await asks.refused("clean", -1, 100))[0] == "EARGS"
    assert (await asks.refused("clean", 0))[0] == "EARGS"


async def test_a_queue_is_obliterated(asks: Client, queue: Queue) -> None:
    await held(queue)

    assert (await asks.refused("obliterate"))[0] == "EJOB"
    assert await asks.ok("obliterate", {"force": True, "count": 10}) is None
    assert sum((await queue.counts()).values()) == 0
    assert (await asks.refused("obliterate", {"force": 1}))[0] == "EARGS"


async def test_a_schedule_is_made_listed_and_removed(asks: Client) -> None:
    run = await asks.ok(
        "upsertJobScheduler", "nightly", {"every": HOUR_MS}, {"name": "sweep", "data": {"a": 1}}
    )
    (listed,) = await asks.ok("getJobSchedulers")

    assert (run["name"], run["data"], run["repeatJobKey"]) == ("sweep", {"a": 1}, "nightly")
    assert (listed["key"], listed["name"], listed["every"]) == ("nightly", "sweep", HOUR_MS)
    assert listed["template"] == {"data": {"a": 1}}
    assert await asks.ok("getJobSchedulers", 1) == []
    assert await asks.ok("removeJobScheduler", "nightly") is True
    assert await asks.ok("removeJobScheduler", "nightly") is False
    assert await asks.ok("getJobSchedulers", 0, -1, True) == []


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["x"],
        [5, {"every": 1000}],
        ["x", {}],
        ["x", {"pattern": "not cron"}],
        ["x", {"every": -1}],
        ["x", {"every": 1000, "pattern": "* * * * *"}],
        ["x", {"every": 1000}, {"name": 5}],
        ["x", {"every": 1000}, {"foo": 5}],
        ["x", {"every": 1000}, {"opts": {"foo": 1}}],
    ],
)
async def test_what_is_no_schedule_is_refused(asks: Client, args: list[Any]) -> None:
    assert (await asks.refused("upsertJobScheduler", *args))[0] == "EARGS"
    assert await asks.ok("getJobSchedulers") == []


async def test_a_cron_expression_makes_a_schedule(asks: Client) -> None:
    repeat = {"pattern": "0 0 9 * * *", "tz": "Europe/Rome", "limit": 5}

    await asks.ok("upsertJobScheduler", "mornings", repeat)
    (listed,) = await asks.ok("getJobSchedulers")

    assert (listed["pattern"], listed["tz"], listed["limit"]) == ("0 0 9 * * *", "Europe/Rome", 5)


async def test_redis_away_is_told_and_the_connection_stays(
    private_server: EmbeddedServer, prefix: str
) -> None:
    address = private_server.start()
    redis = settings_of(address.url, prefix, timeout=timedelta(seconds=0.3))

    async with (
        await start_gateway(redis, ["right-key"], port=0) as gateway,
        client(gateway, "/queue/demo") as asks,
    ):
        assert await asks.ok("count") == 0
        os.kill(address.pid, signal.SIGKILL)

        assert await asks.refused("count") == ("EREDIS", "Redis is unavailable")
        assert await asks.refused("add", "n", 1) == ("EREDIS", "Redis is unavailable")
        private_server.start()
        await until(lambda: is_back(asks), message="it is back")


async def is_back(asks: Client) -> bool:
    """Tell whether calls succeed again."""
    return list(await asks.call("count")) == ["ok"]


async def test_states_beyond_waiting_are_told(asks: Client, queue: Queue) -> None:
    job = await held(queue)
    assert await asks.ok("getJobState", job.id) == "active"
    await job.complete(1)
    assert await asks.ok("getJobState", job.id) == "completed"
    assert await queue.state(job.id) is JobState.COMPLETED
