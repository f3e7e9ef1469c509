"""A call that is sent twice on one lane acts once and answers the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from framework.model.job import JobId, Token
from framework.model.options import Deduplication, ParentJob
from framework.store.connection import Command, HeldConnection
from framework.store.lane import MEMORY_MS, Lane
from framework.store.store import Store
from framework.store.transitions.add import AddedJob, NewJob, add_jobs
from framework.store.transitions.add_linked import add_linked
from framework.store.transitions.ending import Ending
from framework.store.transitions.exchange import Exchanged, Fetched, Taker, exchange
from framework.wire.keys import QueueKeys
from tests.support.builders import NOW, add, complete, dump_of, new_job, tied, trade, waiting_job


class Recorder(HeldConnection):
    """Notes each call, so that the very same bytes can be sent again."""

    def __init__(self, real: HeldConnection) -> None:
        self._real = real
        self.calls: list[tuple[Command, Any]] = []

    async def call(self, command: Command, deadline: float = 10.0, key: str | None = None) -> Any:  # noqa: ANN401 - replies have any shape
        reply = await self._real.call(command, deadline, key)
        self.calls.append((command, reply))
        return reply

    async def again(self, call: int = -1) -> tuple[Any, Any]:
        """Send a call again; return what it answered then and now."""
        command, then = self.calls[call]
        return then, await self._real.call(command)


@dataclass
class Wire:
    """A lane whose calls can be repeated."""

    store: Store
    keys: QueueKeys
    sent: Recorder
    lane: Lane

    async def add(self, *jobs: NewJob) -> Sequence[AddedJob]:
        return await add_jobs(self.lane, self.keys, jobs, NOW, seconds=5)

    async def exchange(self, *endings: Ending, want: int = 0) -> Exchanged:
        taker = Taker("worker:", 30_000)
        return await exchange(
            self.lane, self.keys, endings, taker, want=want, next_token=0, now_ms=NOW, seconds=5
        )


@pytest.fixture
async def wire(store: Store, keys: QueueKeys) -> Wire:
    sent = Recorder(store.hold(keys.base))
    wire = Wire(store, keys, sent, Lane("fleet:0", sent, store.address, store.outage))
    await waiting_job(store, keys)  # both scripts are known to the server from now on
    await trade(store, keys)
    return wire


async def test_an_add_sent_twice_adds_once(store: Store, keys: QueueKeys, wire: Wire) -> None:
    await wire.add(new_job(), new_job(job_id="mine"), new_job(priority=1))
    shown = await dump_of(store, keys)

    then, now = await wire.sent.again()

    assert now == then
    assert await dump_of(store, keys) == shown


async def test_an_add_sent_twice_tells_the_same_duplicates(
    store: Store, keys: QueueKeys, wire: Wire
) -> None:
    await add(store, keys, new_job(job_id="mine"))
    added = await wire.add(new_job(), new_job(job_id="mine"))
    shown = await dump_of(store, keys)

    then, now = await wire.sent.again()

    assert [one.is_duplicate for one in added] == [False, True]
    assert now == then
    assert await dump_of(store, keys) == shown


async def test_parcels_sent_twice_are_added_once_and_refused_twice(
    store: Store, keys: QueueKeys, wire: Wire
) -> None:
    flow = [
        tied(keys, "top", job_id="top", waits=True),
        tied(keys, "child", parent=ParentJob("top", "demo")),
    ]
    orphan = [tied(keys, "child", parent=ParentJob("gone", "demo"))]
    same = [tied(keys, deduplication=Deduplication("k"))]
    await add_linked(wire.lane, keys, [flow, orphan, same, same], NOW, seconds=5)
    shown = await dump_of(store, keys)

    then, now = await wire.sent.again()

    assert then[0] == [b"", b"3", b"", b"4", b"4"]
    assert now == then
    assert await dump_of(store, keys) == shown


async def test_an_add_that_a_later_one_overtook_does_nothing(
    store: Store, keys: QueueKeys, wire: Wire
) -> None:
    await wire.add(new_job())
    await wire.add(new_job())
    shown = await dump_of(store, keys)

    _, now = await wire.sent.again(0)

    assert now == []
    assert await dump_of(store, keys) == shown


async def test_an_exchange_sent_twice_acts_once_and_hands_out_the_same_jobs(
    store: Store, keys: QueueKeys, wire: Wire
) -> None:
    await add(store, keys, *(new_job() for _ in range(5)))
    [job] = (await wire.exchange(want=1)).jobs
    taken = await wire.exchange(complete(job, b'"done"'), want=2)
    shown = await dump_of(store, keys)

    then, now = await wire.sent.again()

    assert (then[0], now[:2]) == ([b"2", b"3"], [[], [b"2", b"3"]])
    # The first answer has the hashes as they were before, the second as they are, and says so.
    assert (len(then), now[-1]) == (2, 1)
    assert [as_dict(flat) for flat in now[2]] == [each.fields for each in taken.jobs]
    assert await dump_of(store, keys) == shown


async def test_an_exchange_sent_twice_repeats_its_refusals(
    store: Store, keys: QueueKeys, wire: Wire
) -> None:
    [job] = (await wire.exchange(want=1)).jobs
    thief = Fetched(job.id, Token("thief"), {})
    await wire.exchange(complete(thief), complete(Fetched(JobId("gone"), job.token, {})))

    then, now = await wire.sent.again()

    assert now[0] == then[0] == [-6, -1]


async def test_an_exchange_that_a_later_one_overtook_does_nothing(
    store: Store, keys: QueueKeys, wire: Wire
) -> None:
    await wire.exchange(want=1)
    await wire.exchange()
    await waiting_job(store, keys)
    shown = await dump_of(store, keys)

    _, now = await wire.sent.again(0)

    assert now == []
    assert await dump_of(store, keys) == shown


async def test_an_exchange_sent_twice_still_tells_when_to_look_again(
    store: Store, keys: QueueKeys, wire: Wire
) -> None:
    await add(store, keys, new_job(delay=timedelta(seconds=30)))
    await wire.exchange(want=5)

    then, now = await wire.sent.again()

    assert int(now[4]) == int(then[4]) == NOW + 30_000


async def test_lanes_do_not_mix(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, new_job())

    [added] = await add(store, keys, new_job())

    assert added.id == "2"


async def test_a_lane_serves_any_number_of_queues(store: Store, keys: QueueKeys) -> None:
    other = QueueKeys(keys.prefix, "other")
    lane = store.lane()

    for queue in (keys, other, keys):
        await add_jobs(lane, queue, [new_job()], NOW, seconds=5)

    assert await store.command("LLEN", keys["wait"]) == 2
    assert await store.command("LLEN", other["wait"]) == 1


async def test_what_a_lane_remembers_ends_by_itself(
    store: Store, keys: QueueKeys, wire: Wire
) -> None:
    await wire.add(new_job())

    assert 0 < await store.command("PTTL", keys.lane("fleet:0")) <= MEMORY_MS


async def test_scripts_survive_a_flush(store: Store, keys: QueueKeys) -> None:
    lane_before = await trade(store, keys)
    await store.command("SCRIPT FLUSH")

    await waiting_job(store, keys)
    taken = await trade(store, keys, want=1)

    assert lane_before.jobs == []
    assert len(taken.jobs) == 1


def as_dict(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
