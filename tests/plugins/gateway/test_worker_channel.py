"""The Worker channel: deliveries, what clients say of them, and clients that vanish."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import anyio
import httpx2
import pytest

from framework import Job, JobState, Queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework_gateway import Gateway
from tests.plugins.gateway.clients import Client, client, refused
from tests.plugins.gateway.conftest import Start
from tests.support.builders import events_of, list_of
from tests.support.until import until

HOUR = timedelta(hours=1)


@pytest.fixture
async def worker(gateway: Gateway) -> AsyncIterator[Client]:
    async with client(gateway, "/queue/demo/process/1") as one:
        yield one


async def has_state(queue: Queue, job: Job[Any], state: JobState) -> Job[Any]:
    """Wait until a job stands somewhere; return it."""

    async def stands_there() -> bool:
        return await queue.state(job.id) is state

    await until(stands_there, message=f"job {job.id} is {state}")
    found = await queue.job(job.id)
    assert found is not None
    return found


async def test_a_job_is_delivered_as_the_protocol_has_it(
    gateway: Gateway, queue: Queue, prefix: str
) -> None:
    async with client(gateway, "/queue/demo/process/2") as worker:
        job = await queue.add("first", {"n": 1}, remove_on_complete=None, remove_on_fail=None)

        text = await worker.text()
        await worker.answer(0, result={"ok": True})

        assert await queue.result(job) == {"ok": True}
    told = json.loads(text)["data"]
    assert text == (
        '{"id":0,"data":{"type":"process","payload":{"n":1},"job":{"name":"first","data":{"n":1},'
        '"opts":{"attempts":0},"id":"1","progress":0,"returnvalue":null,"stacktrace":[],'
        '"delay":0,"priority":0,"attemptsStarted":1,"attemptsMade":0,"stalledCounter":0,'
        f'"timestamp":{told["job"]["timestamp"]},"queueQualifiedName":"{prefix}:demo",'
        f'"processedOn":{told["job"]["processedOn"]},"processedBy":'
        f"{json.dumps(told['job']['processedBy'])}}},"
        f'"token":"{told["token"]}"}}}}'
    )
    assert told["token"].rpartition(":")[2].isdigit()


async def test_no_more_than_the_window_is_unresolved(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/process/2") as worker:
        jobs = await queue.add_bulk([("n", number) for number in range(4)])
        first, second = await worker.receive(), await worker.receive()
        assert (await queue.counts())[JobState.ACTIVE] == 2

        await worker.answer(1, result="second")
        third = await worker.receive()
        await worker.answer(0, err="boom")
        fourth = await worker.receive()
        for one in (third, fourth):
            await worker.answer(one["id"], result=None)
        await queue.result(jobs[3])

    told = [one["data"]["payload"] for one in (first, second, third, fourth)]
    assert [one["id"] for one in (first, second, third, fourth)] == [0, 1, 2, 3]
    assert told == [0, 1, 2, 3]


async def test_jobs_come_in_the_order_of_the_queue(worker: Client, queue: Queue) -> None:
    await queue.pause()
    await queue.add("n", "first")
    await queue.add("n", "late", priority=2)
    await queue.add("n", "early", priority=1)
    await queue.add("n", "at once", lifo=True)
    await queue.resume()

    told = []
    for place in range(4):
        told.append(await worker.data())
        await worker.answer(place, result=1)

    assert [one["payload"] for one in told] == ["at once", "first", "early", "late"]


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"type": "result", "payload": {"a": [1]}}, {"a": [1]}),
        ({"type": "result", "payload": None}, None),
        ({"type": "result"}, None),
        ({"result": "text"}, "text"),
        ({"result": None}, None),
        ({"result": False}, False),
        ({"result": {"err": "no"}}, {"err": "no"}),
    ],
)
async def test_a_result_completes_the_job(
    worker: Client, queue: Queue, said: dict[str, Any], result: object
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.answer(0, **said)

    assert await queue.result(job) == result


@pytest.mark.parametrize(
    ("said", "reason", "trace"),
    [
        ({"err": "boom str"}, "boom str", "boom str"),
        ({"type": "error", "payload": "boom"}, "boom", "boom"),
        ({"err": {"message": "boom", "stack": "st"}}, "boom", "st"),
        ({"type": "error", "payload": {"message": "boom", "stack": "st"}}, "boom", "st"),
        ({"err": {"message": "boom", "name": "TypeError"}}, "boom", "boom"),
        ({"message": "boom", "stack": "go"}, "boom", "go"),
        ({"message": "boom"}, "boom", "boom"),
        ({"err": {}}, "failed", "failed"),
        ({"err": 5}, "5", "5"),
        ({"err": {"message": {"a": 1}}}, '{"a":1}', '{"a":1}'),
    ],
)
async def test_an_error_fails_the_job(
    worker: Client, queue: Queue, said: dict[str, Any], reason: str, trace: str
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.answer(0, **said)

    failed = await has_state(queue, job, JobState.FAILED)
    assert (failed.failed_reason, failed.stacktrace) == (reason, (trace,))
    assert failed.attempts_made == 1


async def test_a_failed_attempt_is_followed_by_the_next(worker: Client, queue: Queue) -> None:
    job = await queue.add("n", 1, attempts=2)
    await worker.receive()
    await worker.answer(0, err={"message": "boom", "stack": "st"})

    again = await worker.receive()
    await worker.answer(1, result="at last")

    assert again["id"] == 1
    assert again["data"]["job"]["attemptsMade"] == 1
    assert again["data"]["job"]["failedReason"] == "boom"
    assert await queue.result(job) == "at last"


@pytest.mark.parametrize(
    "said",
    [
        {"err": {"message": "boom", "unrecoverable": True}},
        {"err": {"message": "boom", "name": "UnrecoverableError"}},
        {"type": "error", "payload": {"message": "boom", "unrecoverable": True}},
    ],
)
async def test_what_is_unrecoverable_is_not_tried_again(
    worker: Client, queue: Queue, said: dict[str, Any]
) -> None:
    job = await queue.add("n", 1, attempts=5)
    await worker.receive()

    await worker.answer(0, **said)

    failed = await has_state(queue, job, JobState.FAILED)
    assert (failed.failed_reason, failed.attempts_made) == ("boom", 1)


@pytest.mark.parametrize("is_typed", [True, False])
async def test_progress_and_rows_are_stored_before_the_job_completes(
    worker: Client, queue: Queue, is_typed: bool
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    for name, value in (("progress", {"pct": 50}), ("log", "one"), ("log", "two")):
        said = {"type": name, "payload": value} if is_typed else {name: value}
        await worker.answer(0, **said)
    await worker.answer(0, result="done")

    assert await queue.result(job) == "done"
    done = await queue.job(job.id)
    assert done is not None
    assert done.progress == {"pct": 50}
    assert await queue.logs(job.id) == ["one", "two"]


async def test_progress_is_an_event(worker: Client, queue: Queue, gateway: Gateway) -> None:
    async with client(gateway, "/queue/demo/events?events=progress") as listener:
        await queue.add("n", 1)
        await worker.receive()
        await worker.answer(0, progress=5)

        heard = await listener.data()

    assert (heard["event"], heard["args"][0]) == ("progress", {"jobId": "1", "data": 5})


async def test_data_is_replaced_for_the_next_run(worker: Client, queue: Queue) -> None:
    await queue.add("n", {"step": 1})
    await worker.receive()

    await worker.answer(0, type="update", payload={"step": 2})
    await worker.answer(0, type="delay", payload=1)
    again = await worker.data()

    assert again["payload"] == {"step": 2}
    assert (again["job"]["attemptsMade"], again["job"]["attemptsStarted"]) == (0, 2)


async def test_a_delayed_job_waits(worker: Client, queue: Queue) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.answer(0, type="delay", payload=3_600_000)

    delayed = await has_state(queue, job, JobState.DELAYED)
    assert delayed.attempts_made == 0


@pytest.mark.parametrize("said", [{"type": "release"}, {"release": True}])
async def test_a_released_job_is_the_first_in_line_and_nothing_is_counted(
    worker: Client, queue: Queue, store: Store, keys: QueueKeys, said: dict[str, Any]
) -> None:
    job = await queue.add("n", "first")
    await queue.add("n", "second")
    await worker.receive()

    await worker.answer(0, **said)
    again = await worker.data()

    assert again["payload"] == "first"
    assert (again["job"]["attemptsMade"], again["job"]["stalledCounter"]) == (0, 0)
    told = await events_of(store, keys, job.id)
    assert told[:4] == ["added", "waiting", "active", "waiting"]


@pytest.mark.parametrize("said", [{"type": "extend", "payload": 600_000}, {"extend": 600_000}])
async def test_a_lock_is_extended_beyond_the_life_of_the_gateway(
    worker: Client, queue: Queue, store: Store, keys: QueueKeys, said: dict[str, Any]
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.answer(0, **said)

    async def is_long() -> bool:
        return int(await store.command("PTTL", keys.job(job.id) + ":lock")) > 500_000

    await until(is_long, message="the lock is extended")


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        ({}, "EMESSAGE", "the message says nothing of the delivery"),
        ({"foo": 1}, "EMESSAGE", "the message says nothing of the delivery"),
        ({"message": 5}, "EMESSAGE", "the message says nothing of the delivery"),
        ({"type": "bogus"}, "EMESSAGE", "there is no such type of message"),
        ({"type": 5}, "EMESSAGE", "there is no such type of message"),
        ({"type": "__class__"}, "EMESSAGE", "there is no such type of message"),
        ({"ack": False}, "EARGS", "ack must be true"),
        ({"release": 1}, "EARGS", "release must be true"),
        ({"progress": None}, "EARGS", "progress cannot be null"),
        ({"type": "progress"}, "EARGS", "progress cannot be null"),
        ({"log": 5}, "EARGS", "log must be a string"),
        ({"extend": 0}, "EARGS", "extend must be a whole number of ms from 1 to 3600000"),
        ({"extend": 3_600_001}, "EARGS", "extend must be a whole number of ms from 1 to 3600000"),
        ({"extend": "x"}, "EARGS", "extend must be a whole number of ms from 1 to 3600000"),
        (
            {"type": "delay", "payload": -1},
            "EARGS",
            "delay must be a whole number of ms from 0 to 2199023255551",
        ),
        ({"type": "delay"}, "EARGS", "delay must be a whole number of ms from 0 to 2199023255551"),
    ],
)
async def test_what_says_nothing_leaves_the_job_alone_and_is_noticed(
    worker: Client, queue: Queue, said: dict[str, Any], code: str, message: str
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.send({"id": 0, "data": said})
    notice = await worker.text()
    await worker.answer(0, result="still mine")

    told = json.dumps({"code": code, "message": message, "ref": 0}, separators=(",", ":"))
    assert notice == f'{{"id":1,"data":{{"type":"notice","payload":{told}}}}}'
    assert await queue.result(job) == "still mine"


@pytest.mark.parametrize(
    ("sent", "code", "ref"),
    [
        ("{bad", "EPARSE", None),
        (b"\xff\xfe", "EPARSE", None),
        ("[" * 100_000, "EPARSE", None),
        ("[]", "EMESSAGE", None),
        ("7", "EMESSAGE", None),
        ('{"data":{"result":1}}', "EMESSAGE", None),
        ('{"id":7}', "EMESSAGE", 7),
        ('{"id":"x","data":null}', "EMESSAGE", "x"),
        ('{"id":99,"data":{"result":1}}', "EUNKNOWNID", 99),
        ('{"id":-1,"data":{"result":1}}', "EUNKNOWNID", -1),
        ('{"id":0.5,"data":{"result":1}}', "EUNKNOWNID", 0.5),
        ('{"id":"0","data":{"result":1}}', "EUNKNOWNID", "0"),
        ('{"id":1e300,"data":{"result":1}}', "EUNKNOWNID", 1e300),
    ],
)
async def test_a_message_of_no_delivery_is_noticed_and_jobs_stay(
    worker: Client, queue: Queue, sent: str | bytes, code: str, ref: object
) -> None:
    job = await queue.add("n", 1)
    await worker.receive()

    await worker.send(sent)
    notice = await worker.data()
    await worker.answer(0, result="fine")

    assert (notice["type"], notice["payload"]["code"]) == ("notice", code)
    assert notice["payload"]["ref"] == ref
    assert await queue.result(job) == "fine"


async def test_what_is_resolved_cannot_be_resolved_again(worker: Client, queue: Queue) -> None:
    job = await queue.add("n", 1)
    await worker.receive()
    await worker.answer(0, result="first")

    await worker.answer(0, result="second")
    notice = await worker.text()

    assert notice == (
        '{"id":1,"data":{"type":"notice","payload":{"code":"EUNKNOWNID",'
        '"message":"no outstanding delivery 0","ref":0}}}'
    )
    assert await queue.result(job) == "first"


async def test_what_is_not_acknowledged_goes_back_and_is_revoked(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/process/1?ackTimeout=200") as worker:
        job = await queue.add("n", 1)
        await worker.receive()

        revoked = await worker.text()
        again = await worker.receive()
        await worker.answer(0, result="too late")
        notice = await worker.data()
        await worker.answer(again["id"], result="in time")

        assert await queue.result(job) == "in time"
    assert revoked == (
        '{"id":1,"data":{"type":"revoke","payload":{"code":"EACKTIMEOUT",'
        '"message":"not acknowledged in 200 ms","ref":0}}}'
    )
    assert again["id"] == 2
    assert (again["data"]["job"]["attemptsMade"], again["data"]["job"]["stalledCounter"]) == (0, 0)
    assert notice["payload"]["code"] == "EUNKNOWNID"


@pytest.mark.parametrize(
    "said",
    [{"ack": True}, {"type": "ack"}, {"progress": 1}, {"log": "x"}, {"type": "update"}],
)
async def test_whatever_is_said_first_acknowledges(
    gateway: Gateway, queue: Queue, said: dict[str, Any]
) -> None:
    async with client(gateway, "/queue/demo/process/1?ackTimeout=150") as worker:
        job = await queue.add("n", 1)
        await worker.receive()

        await worker.answer(0, **said)
        await worker.answer(0, **said)
        await anyio.sleep(0.5)
        await worker.answer(0, result="in time")

        assert await queue.result(job) == "in time"


async def test_without_an_acknowledgement_deadline_nothing_expires(
    start: Start, queue: Queue
) -> None:
    gateway = await start(ack_timeout=100)
    async with client(gateway, "/queue/demo/process/1?ackTimeout=0") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        await anyio.sleep(0.4)
        await worker.answer(0, result="in time")

        assert await queue.result(job) == "in time"


async def test_a_job_that_takes_too_long_fails_and_is_revoked(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/process/1?jobTimeout=200") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        await worker.answer(0, ack=True)

        revoked = await worker.data()

        failed = await has_state(queue, job, JobState.FAILED)
        assert failed.failed_reason == "job timed out"
        assert revoked == {
            "type": "revoke",
            "payload": {"code": "EJOBTIMEOUT", "message": "job timed out", "ref": 0},
        }


async def test_an_extension_begins_the_time_of_a_job_anew(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/process/1?jobTimeout=400") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        for _ in range(4):
            await worker.answer(0, extend=30_000)
            await anyio.sleep(0.2)
        await worker.answer(0, result="in time")

        assert await queue.result(job) == "in time"


async def test_locks_are_renewed_while_a_client_works(
    gateway: Gateway, queue: Queue, store: Store, keys: QueueKeys
) -> None:
    async with client(gateway, "/queue/demo/process/1?lockDuration=1000&ackTimeout=0") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        await anyio.sleep(2.5)

        assert await store.command("EXISTS", keys.job(job.id) + ":lock") == 1
        await worker.answer(0, result="in time")
        assert await queue.result(job) == "in time"


async def test_a_lost_lock_revokes_the_delivery(
    gateway: Gateway, queue: Queue, store: Store, keys: QueueKeys
) -> None:
    async with client(gateway, "/queue/demo/process/1?lockDuration=1000") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        await store.command("SET", keys.job(job.id) + ":lock", "somebody else's")

        revoked = await worker.data()
        await worker.answer(0, result="never")
        notice = await worker.data()

    assert (revoked["type"], revoked["payload"]["code"]) == ("revoke", "ELOCKLOST")
    assert revoked["payload"]["ref"] == 0
    assert notice["payload"]["code"] == "EUNKNOWNID"
    assert await queue.state(job.id) is JobState.ACTIVE


async def test_a_removed_job_is_revoked(
    gateway: Gateway, queue: Queue, store: Store, keys: QueueKeys
) -> None:
    async with client(gateway, "/queue/demo/process/1?lockDuration=1000") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        await store.command("DEL", keys.job(job.id))

        revoked = await worker.data()

    assert revoked["payload"] == {"code": "EREMOVED", "message": "the job was removed", "ref": 0}


async def test_a_cancelled_job_is_revoked(worker: Client, queue: Queue) -> None:
    job = await queue.add("n", 1)
    await worker.receive()
    await queue.cancel(job.id, "enough")

    revoked = await worker.data()

    assert revoked["payload"]["code"] == "ECANCELLED"
    failed = await has_state(queue, job, JobState.FAILED)
    assert "enough" in (failed.failed_reason or "")


async def test_a_draining_client_gets_no_more_and_may_finish(
    gateway: Gateway, queue: Queue
) -> None:
    async with (
        client(gateway, "/queue/demo/process/2") as leaving,
        client(gateway, "/queue/demo") as asks,
    ):
        first = await queue.add("n", "first")
        await leaving.receive()
        await leaving.send({"id": 0, "data": {"type": "drain"}})
        # It is answered in turn, so the drain before it was heard.
        await leaving.send({"id": 99, "data": {"ack": True}})
        await leaving.receive()
        second = await queue.add("n", "second")
        await leaving.answer(0, result="done")

        assert await queue.result(first) == "done"
        assert await asks.ok("getJobState", second.id) == "waiting"


@pytest.mark.parametrize("leave", ["cut", "close", "close with an error"])
async def test_jobs_of_a_client_that_left_are_the_first_in_line_as_they_were(
    gateway: Gateway, queue: Queue, store: Store, keys: QueueKeys, leave: str
) -> None:
    async with client(gateway, "/queue/demo/process/3") as worker:
        jobs = await queue.add_bulk([("n", number) for number in range(5)])
        for _ in range(3):
            await worker.receive()
        match leave:
            case "cut":
                worker.cut()
            case "close":
                await worker.socket.close()
            case _:
                await worker.socket.close(1011)

        async def are_back() -> bool:
            return await list_of(store, keys, "active") == []

        await until(are_back, timeout=1, message="all are back within a second")

    assert await list_of(store, keys, "wait") == ["5", "4", "3", "2", "1"]
    first = await queue.job(jobs[0].id)
    assert first is not None
    assert (first.stalled_counter, first.attempts_made) == (1, 0)
    assert await store.command("EXISTS", keys.job(first.id) + ":lock") == 0
    told = await events_of(store, keys, first.id)
    assert told == ["added", "waiting", "active", "waiting"]


async def test_a_prioritized_job_goes_back_among_the_prioritized(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/process/1") as worker:
        job = await queue.add("n", 1, priority=5)
        await worker.receive()

    await has_state(queue, job, JobState.PRIORITIZED)


async def test_a_paused_queue_keeps_what_comes_back(gateway: Gateway, queue: Queue) -> None:
    async with client(gateway, "/queue/demo/process/1") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        await queue.pause()

    await has_state(queue, job, JobState.WAITING)
    assert await queue.is_paused()


async def test_with_the_default_the_second_vanished_client_fails_the_job(
    gateway: Gateway, queue: Queue
) -> None:
    job = await queue.add("n", 1, attempts=5)
    for place in range(2):
        async with client(gateway, "/queue/demo/process/1") as worker:
            assert (await worker.data())["job"]["stalledCounter"] == place
            worker.cut()

    failed = await has_state(queue, job, JobState.FAILED)
    assert failed.failed_reason == "job stalled more than allowable limit"
    assert failed.stalled_counter == 2


@pytest.mark.parametrize(("setting", "query"), [(0, ""), (1, "?maxStalledCount=0")])
async def test_how_often_a_client_may_vanish_is_asked_or_set(
    start: Start, queue: Queue, setting: int, query: str
) -> None:
    gateway = await start(max_stalled_count=setting)
    job = await queue.add("n", 1)
    async with client(gateway, f"/queue/demo/process/1{query}") as worker:
        await worker.receive()

    failed = await has_state(queue, job, JobState.FAILED)
    assert failed.failed_reason == "job stalled more than allowable limit"


async def test_results_sent_before_the_end_are_applied_first(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/process/3") as worker:
        jobs = await queue.add_bulk([("n", number) for number in range(3)])
        for _ in range(3):
            await worker.receive()
        for place in (0, 1):
            await worker.answer(place, log="last words")
            await worker.answer(place, result=place)
        await worker.socket.close()

    assert [await queue.result(job) for job in jobs[:2]] == [0, 1]
    assert await queue.logs(jobs[1].id) == ["last words"]
    await has_state(queue, jobs[2], JobState.WAITING)


async def test_a_client_that_answers_no_ping_has_vanished(start: Start, queue: Queue) -> None:
    gateway = await start(ping_interval=0.2, ping_timeout=0.3)
    job = await queue.add("n", 1)
    async with client(gateway, "/queue/demo/process/1") as worker:
        await worker.receive()
        worker.socket.transport.pause_reading()

        back = await has_state(queue, job, JobState.WAITING)
        worker.cut()

    assert back.stalled_counter == 1


async def test_clients_share_the_jobs_of_a_queue(gateway: Gateway, queue: Queue) -> None:
    async with (
        client(gateway, "/queue/demo/process/1") as first,
        client(gateway, "/queue/demo/process/1?lockDuration=60000") as second,
        client(gateway, "/ws/queues/demo/process/1") as third,
    ):
        jobs = await queue.add_bulk([("n", number) for number in range(3)])
        for one in (first, second, third):
            await one.receive()
            await one.answer(0, result="shared")

        assert [await queue.result(job) for job in jobs] == ["shared"] * 3


async def test_a_slow_client_does_not_hold_up_the_others(gateway: Gateway, queue: Queue) -> None:
    big = "x" * 1_000_000
    async with (
        client(gateway, "/queue/demo/process/100", max_queue=1) as slow,
        client(gateway, "/queue/demo/process/1") as quick,
    ):
        slow.socket.transport.pause_reading()
        await queue.add_bulk([("n", big) for _ in range(30)])
        seen = 0
        while seen < 5:
            await quick.receive()
            await quick.answer(seen, result=1)
            seen += 1
        (told,) = [one for one in gateway.hub.connections if one.concurrency == 100]

        # What was given to the slow one is what it had room for, not its whole window.
        assert told.connection.in_hand < 15


async def test_a_gateway_that_closes_lets_jobs_end_and_gives_the_rest_back(
    start: Start, queue: Queue
) -> None:
    gateway = await start(grace_period=0.5)
    async with (
        client(gateway, "/queue/demo/process/2") as worker,
        client(gateway, "/queue/demo") as asks,
    ):
        ends, stays = await queue.add_bulk([("n", "ends"), ("n", "stays"), ("n", "waits")][:2])
        await worker.receive()
        await worker.receive()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gateway.close)
            await until(lambda: gateway.hub.is_closing, message="it closes")
            await worker.answer(0, result="just in time")

            assert await queue.result(ends) == "just in time"
            assert await worker.closed() == (1001, "the gateway is closing")
            assert await asks.closed() == (1001, "the gateway is closing")

    back = await has_state(queue, stays, JobState.WAITING)
    assert (back.stalled_counter, back.attempts_made) == (0, 0)


async def test_while_a_gateway_closes_nobody_new_gets_in(start: Start, queue: Queue) -> None:
    gateway = await start(grace_period=1)
    async with client(gateway, "/queue/demo/process/1") as worker:
        await queue.add("n", 1)
        await worker.receive()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gateway.close)
            await until(lambda: gateway.hub.is_closing, message="it closes")

            assert await refused(gateway, "/queue/demo") == (503, "The gateway is closing")
            await worker.answer(0, result=1)


async def test_the_status_tells_of_jobs_in_hand(
    gateway: Gateway, queue: Queue, http: httpx2.AsyncClient, prefix: str
) -> None:
    async with client(gateway, "/queue/demo/process/3?name=far"):
        await queue.add("n", 1)
        await until(lambda: await_status(http), message="it has a job")
        status = (await http.get("/status")).json()

    (worker,) = status["connections"]
    assert status["prefix"] == prefix
    assert (worker["channel"], worker["queue"], worker["name"]) == ("worker", "demo", "far")
    assert (worker["concurrency"], worker["inHand"]) == (3, 1)


async def await_status(http: httpx2.AsyncClient) -> bool:
    """Tell whether a client has a job."""
    found = (await http.get("/status")).json()["connections"]
    return bool(found) and found[0]["inHand"] == 1
