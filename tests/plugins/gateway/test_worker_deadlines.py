"""What a worker client says amiss, too late or never, and what it is told."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from framework import JobState, Queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework_gateway import Gateway
from tests.plugins.gateway.clients import Client, client, has_state
from tests.plugins.gateway.conftest import Start
from tests.support.loop_clock import LoopClock
from tests.support.until import until


@pytest.fixture
async def worker(gateway: Gateway) -> AsyncIterator[Client]:
    async with client(gateway, "/queue/demo/process/1") as one:
        yield one


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
    loop_clock: LoopClock, gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/process/1?ackTimeout=10000") as worker:
        job = await queue.add("n", 1)
        await worker.receive()

        loop_clock.forward(11)
        revoked = await worker.text()
        again = await worker.receive()
        await worker.answer(0, result="too late")
        notice = await worker.data()
        await worker.answer(again["id"], result="in time")

        assert await queue.result(job) == "in time"
    assert revoked == (
        '{"id":1,"data":{"type":"revoke","payload":{"code":"EACKTIMEOUT",'
        '"message":"not acknowledged in 10000 ms","ref":0}}}'
    )
    assert again["id"] == 2
    assert (again["data"]["job"]["attemptsMade"], again["data"]["job"]["stalledCounter"]) == (0, 0)
    assert notice["payload"]["code"] == "EUNKNOWNID"


@pytest.mark.parametrize(
    "said",
    [{"ack": True}, {"type": "ack"}, {"progress": 1}, {"log": "x"}, {"type": "update"}],
)
async def test_whatever_is_said_first_acknowledges(
    loop_clock: LoopClock, gateway: Gateway, queue: Queue, said: dict[str, Any]
) -> None:
    async with client(gateway, "/queue/demo/process/1?ackTimeout=10000") as worker:
        job = await queue.add("n", 1)
        await worker.receive()

        await worker.answer(0, **said)
        await worker.answer(0, **said)
        await worker.was_heard()
        loop_clock.forward(11)
        await worker.was_heard()
        await worker.answer(0, result="in time")

        assert await queue.result(job) == "in time"


async def test_without_an_acknowledgement_deadline_nothing_expires(
    loop_clock: LoopClock, start: Start, queue: Queue
) -> None:
    gateway = await start(ack_timeout=10_000)
    async with client(gateway, "/queue/demo/process/1?ackTimeout=0") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        loop_clock.forward(11)
        await worker.was_heard()
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


async def test_an_extension_begins_the_time_of_a_job_anew(
    loop_clock: LoopClock, gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo/process/1?jobTimeout=10000") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        for _ in range(4):
            await worker.answer(0, extend=30_000)
            await worker.was_heard()
            loop_clock.forward(6)
            await worker.was_heard()
        await worker.answer(0, result="in time")

        assert await queue.result(job) == "in time"


async def test_locks_are_renewed_while_a_client_works(
    gateway: Gateway, queue: Queue, store: Store, keys: QueueKeys
) -> None:
    async with client(gateway, "/queue/demo/process/1?lockDuration=2000&ackTimeout=0") as worker:
        job = await queue.add("n", 1)
        await worker.receive()
        lock, left = keys.job(job.id) + ":lock", 2000

        async def is_renewed() -> bool:
            nonlocal left
            before, left = left, int(await store.command("PTTL", lock))
            assert left > 0, "the lock has ended"
            return left > before

        for _ in range(2):
            await until(is_renewed, message="the lock is renewed")
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
