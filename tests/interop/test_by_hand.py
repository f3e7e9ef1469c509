"""Jobs taken and ended by hand: on one side, on the other, or begun here and ended there."""

from datetime import timedelta

import pytest

from framework import HeldJob, JobState, LockLostError, Queue
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import HANG, NONE, returns
from tests.support.ours import Ours, job_hash
from tests.support.until import until

pytestmark = both_majors

MINUTE = timedelta(minutes=1)


async def take(queue: Queue, token: str) -> HeldJob:
    job = await queue.next_job(token)
    assert job is not None
    return job


async def test_node_ends_with_our_token_what_we_took(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        ids = await node.add_bulk("q", [{"name": "n", "opts": {"attempts": 2}}] * 4)
        for job_id in ids:
            await take(queue, f"ours:{job_id}")
        done, delayed, waits, kept = ids

        await node.job_call("q", done, "moveToCompleted", "by Node", f"ours:{done}", False)
        await node.job_call("q", delayed, "moveToDelayed", 2_000_000_000_000, f"ours:{delayed}")
        await node.job_call("q", waits, "moveToWait", f"ours:{waits}")
        extended = await node.job_call("q", kept, "extendLock", f"ours:{kept}", 60_000)

        assert await queue.result(done) == "by Node"
        assert await queue.state(delayed) is JobState.DELAYED
        assert await queue.state(waits) is JobState.WAITING
        assert extended == 1
        with pytest.raises(NodeError, match=r"lock|Lock"):
            await node.job_call("q", kept, "moveToCompleted", 1, "somebody else's", False)
        with pytest.raises(LockLostError):
            await queue.held_job(kept, "somebody else's")


async def test_we_end_with_nodes_token_what_node_took(ours: Ours, node: NodePeer) -> None:
    worker = await node.work("q", NONE)
    recording = await node.record_events("q")
    async with ours.producing() as app:
        queue = app.queue("q")
        for n in range(5):
            await queue.add("n", attempts=2)
            taken = await worker.call("getNextJob", f"theirs:{n}")
            assert taken["id"] == str(n + 1)

        held = [await queue.held_job(str(n + 1), f"theirs:{n}") for n in range(5)]
        await held[0].complete({"by": "us"})
        await held[1].fail("not us", unrecoverable=True)
        assert await held[2].fail("once") == timedelta(0)
        await held[3].delay_for(MINUTE)
        await held[4].move_to_wait()

        assert await node.wait_result("q", "1") == {"by": "us"}
        with pytest.raises(NodeError, match="not us"):
            await node.wait_result("q", "2")
        states = [await node.state("q", str(n)) for n in (3, 4, 5)]
        assert states == ["waiting", "delayed", "waiting"]
        made = [(await job_hash(app, str(n))).get("atm") for n in (3, 4, 5)]
        assert made == ["1", None, None]

    async def told() -> bool:
        return len(await recording.events("waiting")) == 7

    await until(told, message="all is told")
    assert await recording.events("error") == []


async def test_node_sees_what_we_hold_and_takes_none_of_it(ours: Ours, node: NodePeer) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        first, second = await node.add("q", "n"), await node.add("q", "n")
        held = await take(queue, "ours")
        worker = await node.work("q", returns("theirs"))

        assert await node.wait_result("q", second) == "theirs"
        assert await node.state("q", first) == "active"
        read = await node.job("q", first)
        assert read is not None
        assert (read["attemptsStarted"], read["attemptsMade"]) == (1, 0)
        await held.complete("ours")

        assert await node.wait_result("q", first) == "ours"
    assert list(await worker.runs()) == [second]


async def test_we_take_none_of_what_node_holds(ours: Ours, node: NodePeer) -> None:
    hanging = await node.work("q", HANG)
    first = await node.add("q", "n")
    await until(hanging.order, message="it runs there")
    second = await node.add("q", "n")
    by_hand = await node.work("q", NONE)

    async with ours.producing() as app:
        queue = app.queue("q")
        held = await take(queue, "ours")
        assert held.id == second
        assert await queue.next_job("ours:2") is None
        assert await by_hand.call("getNextJob", "theirs") is None
        third = await node.add("q", "n")
        assert (await by_hand.call("getNextJob", "theirs"))["id"] == third
        await hanging.release(first, value="theirs")

        assert await queue.result(first) == "theirs"


async def test_a_paused_or_limited_queue_gives_nothing_to_either_side(
    ours: Ours, node: NodePeer
) -> None:
    async with ours.producing() as app:
        queue = app.queue("q")
        await node.add_bulk("q", [{"name": "n"}] * 2)
        await node.call("pause", queue="q")
        assert await queue.next_job("ours") is None
        await node.call("resume", queue="q")
        held = await take(queue, "ours")
        await held.rate_limit(MINUTE)
        limited = await node.work("q", NONE, limiter={"max": 9, "duration": 1000})

        assert await queue.next_job("ours") is None
        assert await limited.call("getNextJob", "theirs") is None
        assert await node.queue_call("q", "getRateLimitTtl", 9) > 50_000


async def test_we_extend_the_locks_of_many_jobs_that_either_side_took(
    ours: Ours, node: NodePeer
) -> None:
    worker = await node.work("q", NONE)
    async with ours.producing() as app:
        queue = app.queue("q")
        theirs, mine = [await node.add("q", "n") for _ in range(2)]
        await worker.call("getNextJob", "node's")
        await take(queue, "ours")
        tokens = {theirs: "node's", mine: "ours"}

        assert await queue.extend_locks(tokens, 3 * MINUTE) == set()

        for job_id, token in tokens.items():
            lock = f"{ours.prefix}:q:{job_id}:lock"
            assert await app.store.command("GET", lock) == token.encode()
            assert await app.store.command("PTTL", lock) > 150_000
        strange = {theirs: "ours", mine: "ours", "gone": "ours", "a:b": "ours"}
        assert await queue.extend_locks(strange, MINUTE) == {theirs, "gone", "a:b"}
        await node.job_call("q", theirs, "moveToCompleted", 1, "node's", False)
