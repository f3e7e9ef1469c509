"""Schedules: made by one side, listed, changed, removed and carried on by the other."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from framework import Application, Cron, Every, JobState
from framework.errors import SchedulerJobError
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import ECHO
from tests.support.ours import Ours, Runs, does, job_hash
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

STEP_MS = 60
STEP = timedelta(milliseconds=STEP_MS)
HOUR = timedelta(hours=1)
START = datetime(2035, 5, 4, 3, 2, 1, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
FOREVER = {"removeOnComplete": False, "removeOnFail": False}

Upsert = Mapping[str, Any]


async def upsert_on_node(node: NodePeer, repeat: Upsert, template: Upsert | None = None) -> None:
    await node.call(
        "upsertJobScheduler", queue="q", schedulerId="s", repeat=repeat, template=template or {}
    )


async def completed(app: Application, count: int) -> list[str]:
    """Wait until so many jobs have completed, and return their ids in the order of their times."""

    async def ids() -> list[str]:
        found = await app.queue("q").jobs(JobState.COMPLETED, stop=-1)
        return sorted(job.id for job in found)

    async def enough() -> bool:
        return len(await ids()) >= count

    await until(enough, message=f"{count} runs have completed")
    return await ids()


def times_of(ids: list[str]) -> list[int]:
    return [int(each.rpartition(":")[2]) for each in ids]


async def iterations(app: Application) -> int:
    found = await app.queue("q").job_scheduler("s")
    assert found is not None
    return found.iterations


def are_strictly_spaced(ids: list[str]) -> bool:
    """Whether each run is one or more whole steps after the one before."""
    return all(
        later > earlier and (later - earlier) % STEP_MS == 0
        for earlier, later in pairwise(times_of(ids))
    )


async def test_our_worker_carries_on_what_node_scheduled(ours: Ours, node: NodePeer) -> None:
    runs = Runs()
    template = {"name": "tick", "data": {"a": 1}, "opts": {"priority": 2, "attempts": 3}}

    async with ours.working(does(runs=runs)) as app:
        await upsert_on_node(node, {"every": STEP_MS, "limit": 5}, template)
        ids = await completed(app, 5)

        assert runs.ids == ids
        assert are_strictly_spaced(ids)
        assert await iterations(app) == 5
        last = await job_hash(app, ids[-1])
        assert (last["name"], last["data"], last["priority"]) == ("tick", '{"a":1}', "2")
        assert json.loads(last["opts"])["repeat"]["count"] == 5
        assert (await app.queue("q").counts())[JobState.DELAYED] == 0


async def test_nodes_worker_carries_on_what_we_scheduled(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        await app.queue("q").upsert_job_scheduler(
            "s", Every(STEP), "tick", {"a": 1}, limit=5, priority=2, attempts=3
        )
        worker = await node.work("q", ECHO)
        ids = await completed(app, 5)

        assert await worker.runs() == dict.fromkeys(ids, 1)
        assert are_strictly_spaced(ids)
        assert await iterations(app) == 5
        last = await job_hash(app, ids[-1])
        assert (last["name"], last["data"], last["priority"]) == ("tick", '{"a":1}', "2")
        opts = json.loads(last["opts"])
        assert (opts["repeat"]["count"], opts["attempts"]) == (5, 3)
        assert not await node.troubles()


@pytest.mark.parametrize("maker", ["ours", "node"])
async def test_workers_of_both_sides_take_turns(ours: Ours, node: NodePeer, maker: str) -> None:
    runs = Runs()

    async with ours.working(does(runs=runs)) as app:
        worker = await node.work("q", ECHO)
        if maker == "ours":
            await app.queue("q").upsert_job_scheduler("s", Every(STEP), limit=12)
        else:
            await upsert_on_node(node, {"every": STEP_MS, "limit": 12}, {"opts": FOREVER})
        ids = await completed(app, 12)

        theirs = await worker.runs()
        assert set(theirs) | set(runs.ids) == set(ids)
        assert not set(theirs) & set(runs.ids)
        assert are_strictly_spaced(ids)
        assert await iterations(app) == len(ids) == 12


async def test_an_expression_is_carried_on_by_both_sides(ours: Ours, node: NodePeer) -> None:
    async with ours.working(does()) as app:
        worker = await node.work("q", ECHO)
        await upsert_on_node(node, {"pattern": "* * * * * *", "tz": "UTC", "limit": 2})
        ids = await completed(app, 2)
        await worker.close()

        assert [time % 1000 for time in times_of(ids)] == [0, 0]
        assert times_of(ids)[1] - times_of(ids)[0] == 1000
        assert await iterations(app) == 2


async def test_node_carries_on_a_schedule_whose_runs_must_not_overlap(
    ours: Ours, node: NodePeer
) -> None:
    """Our word for it is kept, though Node's workers run whatever they take."""
    async with ours.producing() as app:
        await app.queue("q").upsert_job_scheduler("s", Every(STEP), limit=3, overlap="skip")
        await node.work("q", ECHO)
        ids = await completed(app, 3)

        opts = [json.loads((await job_hash(app, one))["opts"]) for one in ids]
        assert [one["fw.overlap"] for one in opts] == ["skip"] * 3
        assert not await node.troubles()


async def test_node_lists_our_schedules(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        await queue.upsert_job_scheduler(
            "hourly", Every(HOUR), "tick", {"a": 1}, start=START, end=START + 9 * HOUR, limit=4
        )
        await queue.upsert_job_scheduler("daily", Cron("0 9 4 5 *", tz="Asia/Tokyo"), attempts=2)

        found = {one["key"]: one for one in await node.queue_call("q", "getJobSchedulers")}

        hourly, daily = found["hourly"], found["daily"]
        assert hourly["template"]["data"] == {"a": 1}
        assert {name: hourly[name] for name in hourly if name != "template"} == {
            "key": "hourly", "name": "tick", "next": START_MS, "iterationCount": 1, "limit": 4,
            "every": 3_600_000, "startDate": START_MS, "endDate": START_MS + 9 * 3_600_000,
            "offset": START_MS % 3_600_000,
        }  # fmt: skip
        assert (daily["pattern"], daily["tz"]) == ("0 9 4 5 *", "Asia/Tokyo")
        assert daily["template"]["opts"]["attempts"] == 2
        assert await node.queue_call("q", "getJobSchedulersCount") == 2


async def test_we_list_nodes_schedules(ours: Ours, node: NodePeer) -> None:
    repeat = {"pattern": "0 9 * * 1", "tz": "Asia/Tokyo", "startDate": START_MS, "limit": 4}
    await upsert_on_node(node, repeat, {"name": "tick", "data": [1], "opts": {"priority": 7}})

    async with ours.producing() as app:
        found = await app.queue("q").job_schedulers()

    assert len(found) == 1
    one = found[0]
    assert (one.id, one.name, one.data, one.iterations) == ("s", "tick", [1], 1)
    assert (one.pattern, one.tz, one.start, one.limit) == ("0 9 * * 1", "Asia/Tokyo", START, 4)
    assert one.next_run == datetime(2035, 5, 7, 0, tzinfo=UTC)
    assert one.options.get("priority") == 7


async def test_a_schedule_is_changed_by_the_other_side(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        await upsert_on_node(node, {"pattern": "0 9 * * *", "tz": "UTC", "startDate": START_MS})
        second = await queue.upsert_job_scheduler("s", Cron("0 10 * * *"), start=START)
        after_ours = await queue.jobs(JobState.DELAYED)
        await upsert_on_node(node, {"pattern": "0 11 * * *", "tz": "UTC", "startDate": START_MS})
        after_nodes = await queue.jobs(JobState.DELAYED)

        assert [job.id for job in after_ours] == [second]
        assert (
            second == f"repeat:s:{int(START.replace(hour=10, minute=0, second=0).timestamp())}000"
        )
        assert len(after_nodes) == 1
        assert after_nodes[0].id != second


@pytest.mark.parametrize("maker", ["ours", "node"])
async def test_a_schedule_is_removed_by_the_other_side(
    ours: Ours, node: NodePeer, maker: str
) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        if maker == "ours":
            await queue.upsert_job_scheduler("s", Every(HOUR), start=START)
            assert await node.queue_call("q", "removeJobScheduler", "s") is True
        else:
            await upsert_on_node(node, {"every": 3_600_000, "startDate": START_MS})
            assert await queue.remove_job_scheduler("s") is True

        assert await queue.job_schedulers_count() == 0
        assert (await queue.counts())[JobState.DELAYED] == 0
        assert await node.queue_call("q", "getJobSchedulersCount") == 0


async def test_neither_side_removes_the_next_run_alone(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        run = await app.queue("q").upsert_job_scheduler("s", Every(HOUR), start=START)

        with pytest.raises(NodeError, match="belongs to a job scheduler"):
            await node.call("remove", queue="q", jobId=run)
        with pytest.raises(SchedulerJobError, match="remove the schedule instead"):
            await app.queue("q").remove(run)

        assert await node.state("q", run) == "delayed"


async def test_a_repeatable_job_of_bullmq_5_goes_on_with_its_payload(
    ours: Ours, node: NodePeer
) -> None:
    """BullMQ 6 adds none; made by hand there, with what BullMQ 5 leaves."""
    async with ours.working(does()) as app:
        if node.major == 5:
            await node.add("q", "old", {"kept": True}, repeat={"every": STEP_MS, "limit": 3})
        else:
            await a_legacy_repeatable(app)
        ids = await completed(app, 3)

        assert [json.loads((await job_hash(app, one))["data"]) for one in ids] == [
            {"kept": True}
        ] * 3
        assert len(set(times_of(ids))) == len(ids) == 3


async def a_legacy_repeatable(app: Application) -> None:
    base = f"{app.settings.prefix}:q:"
    now_ms = app.clock.now_ms()
    member = "efaaf2177108ae2cd4800399c374ad19"
    opts = {"repeat": {"every": STEP_MS, "limit": 3, "count": 1}, "attempts": 0}
    job_id = f"repeat:{member}:{now_ms}"
    command = app.store.command
    await command("ZADD", f"{base}repeat", now_ms, member)
    await command("HSET", f"{base}repeat:{member}", "name", "old", "every", STEP_MS)
    await command(
        "HSET", f"{base}{job_id}", "name", "old", "data", '{"kept":true}',
        "opts", json.dumps(opts), "rjk", member, "timestamp", now_ms, "delay", 0, "priority", 0,
    )  # fmt: skip
    await command("LPUSH", f"{base}wait", job_id)
    await command("ZADD", f"{base}marker", 0, "0")


UPSERTS: dict[str, tuple[Upsert, Upsert, dict[str, Any]]] = {
    "interval": (
        {"every": 3_600_000, "startDate": START_MS},
        {"name": "tick", "data": {"a": [1, None]}, "opts": {"attempts": 3, "priority": 5}},
        {"when": Every(HOUR), "name": "tick", "data": {"a": [1, None]}, "start": START,
         "attempts": 3, "priority": 5},
    ),
    "limits": (
        {"every": 3_600_000, "startDate": START_MS, "endDate": START_MS + 9, "limit": 2},
        {},
        {"when": Every(HOUR), "start": START, "end": START + timedelta(milliseconds=9),
         "limit": 2},
    ),
    "offset": (
        {"every": 3_600_000, "startDate": START_MS, "offset": 1000},
        {"opts": {"lifo": True}},
        {"when": Every(HOUR, offset=timedelta(seconds=1)), "start": START, "lifo": True},
    ),
    "expression": (
        {"pattern": "0 15 3 * * *", "tz": "Europe/Rome", "startDate": START_MS},
        {"data": "x", "opts": {"backoff": {"type": "fixed", "delay": 3000}}},
        {"when": Cron("0 15 3 * * *", tz="Europe/Rome"), "data": "x", "start": START,
         "backoff": timedelta(seconds=3)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("names", [*[[name] for name in UPSERTS], list(UPSERTS)], ids=str)
async def test_an_upsert_leaves_the_keys_that_node_leaves(
    ours: Ours, node: NodePeer, names: list[str]
) -> None:
    """One after the other under one id, so that all but the first change what is there."""
    async with ours.producing() as app:
        for name in names:
            repeat, template, mine = UPSERTS[name]
            opts = {**template.get("opts", {}), **FOREVER}
            await node.call(
                "upsertJobScheduler", queue="n", schedulerId="s", repeat=repeat,
                template={**template, "opts": opts},
            )  # fmt: skip
            await app.queue("o").upsert_job_scheduler(
                "s", **mine, remove_on_complete=False, remove_on_fail=False
            )

        theirs, ours_ = await dump(app, "n"), await dump(app, "o")
        assert ours_ == theirs


async def dump(app: Application, queue: str) -> dict[str, object]:
    """Read all keys of a queue, with the times of this moment left out."""
    base = f"{app.settings.prefix}:{queue}:"
    found: dict[str, object] = {}
    for key in sorted(await app.store.command("KEYS", f"{base}*")):
        name = key.decode().removeprefix(base)
        if name == "meta" or name.startswith("meta:fw:"):
            continue
        match (await app.store.command("TYPE", key)).decode():
            case "hash":
                fields = await app.store.command("HGETALL", key)
                told = {field.decode(): value.decode() for field, value in fields.items()}
                found[name] = {field: in_words(field, value) for field, value in told.items()}
            case "zset":
                found[name] = await app.store.command("ZRANGE", key, 0, -1, "WITHSCORES")
            case "stream":
                entries = await app.store.command("XRANGE", key, "-", "+")
                found[name] = [fields for _, fields in entries]
            case _:
                found[name] = await app.store.command("GET", key)
    return found


def in_words(field: str, value: str) -> object:
    if field in {"timestamp", "delay"}:
        return "NOW"
    if field == "opts":
        told: dict[str, object] = json.loads(value)
        return {name: "NOW" if name in {"timestamp", "delay"} else told[name] for name in told}
    return value
