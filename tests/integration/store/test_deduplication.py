"""Deduplication in all its modes: what a second add of an id does, and what it tells."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from framework.model.job import JobState
from framework.model.options import Deduplication
from framework.store.store import Store
from framework.store.transitions.add import AddedJob
from framework.store.transitions.exchange import Fetched
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    add_tied,
    complete,
    entries_of,
    events_of,
    fail,
    hash_of,
    list_of,
    scores_of,
    state_of,
    tied,
    trade,
)

MINUTE = timedelta(minutes=1)
LATER = timedelta(hours=1)
SIMPLE = Deduplication("k")


async def add(
    store: Store,
    keys: QueueKeys,
    dedup: Deduplication = SIMPLE,
    data: bytes = b"1",
    now_ms: int = NOW,
    **options: object,
) -> AddedJob:
    job = tied(keys, data=data, deduplication=dedup, **options)  # type: ignore[arg-type]  # options, not the name
    [answer] = await add_tied(store, keys, [job], now_ms=now_ms)
    assert isinstance(answer, Sequence)
    return answer[0]


async def take(store: Store, keys: QueueKeys) -> Fetched:
    return (await trade(store, keys, want=1)).jobs[0]


async def holder(store: Store, keys: QueueKeys) -> str | None:
    found = await store.command("GET", keys.base + "de:k")
    return None if found is None else str(found.decode())


async def ttl(store: Store, keys: QueueKeys) -> int:
    left: int = await store.command("PTTL", keys.base + "de:k")
    return left


async def test_a_second_add_gets_the_job_that_is_there(store: Store, keys: QueueKeys) -> None:
    first = await add(store, keys)
    second = await add(store, keys, data=b"2")

    assert (second.id, second.is_duplicate) == (first.id, True)
    assert await list_of(store, keys, "wait") == [first.id]
    assert (await hash_of(store, keys, first.id))["data"] == "1"
    assert (await hash_of(store, keys, first.id))["deid"] == "k"
    assert (await entries_of(store, keys))[-1] == {
        "event": "deduplicated", "jobId": "1", "deduplicationId": "k", "deduplicatedJobId": "2",
    }  # fmt: skip
    assert await ttl(store, keys) == -1


async def test_adds_of_one_call_are_deduplicated_among_themselves(
    store: Store, keys: QueueKeys
) -> None:
    jobs = [tied(keys, deduplication=SIMPLE) for _ in range(3)]

    [answer] = await add_tied(store, keys, jobs)

    assert isinstance(answer, Sequence)
    assert [one.id for one in answer] == ["1", "1", "1"]
    assert await list_of(store, keys, "wait") == ["1"]


@pytest.mark.parametrize("end", [complete, fail])
async def test_the_end_of_a_job_sets_its_id_free(
    store: Store, keys: QueueKeys, end: object
) -> None:
    await add(store, keys)
    job = await take(store, keys)
    assert (await add(store, keys)).is_duplicate

    await trade(store, keys, end(job))  # type: ignore[operator]  # one of two builders

    assert not (await add(store, keys)).is_duplicate


async def test_a_throttle_holds_the_id_past_its_job(store: Store, keys: QueueKeys) -> None:
    dedup = Deduplication("k", ttl=MINUTE)
    await add(store, keys, dedup)
    await trade(store, keys, complete(await take(store, keys)))

    again = await add(store, keys, dedup)

    assert again.is_duplicate
    assert 50_000 < await ttl(store, keys) <= 60_000


async def test_an_extended_throttle_begins_anew(store: Store, keys: QueueKeys) -> None:
    dedup = Deduplication("k", ttl=MINUTE, extend=True)
    first = await add(store, keys, dedup)
    await store.command("PEXPIRE", keys.base + "de:k", 1000)

    again = await add(store, keys, dedup)

    assert again.id == first.id
    assert await ttl(store, keys) > 50_000
    assert await holder(store, keys) == first.id


async def test_a_debounce_replaces_the_delayed_job(store: Store, keys: QueueKeys) -> None:
    dedup = Deduplication("k", ttl=MINUTE, extend=True, replace=True)
    first = await add(store, keys, dedup, delay=LATER)
    await store.command("PEXPIRE", keys.base + "de:k", 1000)

    second = await add(store, keys, dedup, data=b"2", delay=LATER)

    assert (second.id, second.is_duplicate) == ("2", False)
    assert list(await scores_of(store, keys, "delayed")) == ["2"]
    assert await hash_of(store, keys, first.id) == {}
    assert await holder(store, keys) == "2"
    assert await ttl(store, keys) > 50_000
    assert [(one["event"], one["jobId"]) for one in await entries_of(store, keys)] == [
        ("added", "1"), ("delayed", "1"), ("removed", "1"), ("deduplicated", "2"), ("added", "2"),
        ("delayed", "2"),
    ]  # fmt: skip
    assert (await entries_of(store, keys))[3]["deduplicatedJobId"] == "1"


async def test_a_replacement_without_extension_lets_the_window_run_on(
    store: Store, keys: QueueKeys
) -> None:
    dedup = Deduplication("k", ttl=MINUTE, replace=True)
    await add(store, keys, dedup, delay=LATER)
    await store.command("PEXPIRE", keys.base + "de:k", 9000)

    await add(store, keys, dedup, delay=LATER)

    assert 0 < await ttl(store, keys) <= 9000
    assert await holder(store, keys) == "2"


async def test_a_job_that_is_no_longer_delayed_is_not_replaced(
    store: Store, keys: QueueKeys
) -> None:
    dedup = Deduplication("k", replace=True)
    await add(store, keys, dedup)

    again = await add(store, keys, dedup)

    assert (again.id, again.is_duplicate) == ("1", True)
    assert await events_of(store, keys) == ["added", "waiting"]


async def test_a_rescheduled_job_keeps_its_data_and_gets_the_new_delay(
    store: Store, keys: QueueKeys
) -> None:
    dedup = Deduplication("k", reschedule=True)
    await add(store, keys, dedup, delay=LATER)

    again = await add(store, keys, dedup, data=b"2", delay=MINUTE, now_ms=NOW + 5)

    assert again.id == "1"
    assert await scores_of(store, keys, "delayed") == {"1": (NOW + 60_005) * 4096}
    assert await scores_of(store, keys, "marker") == {"1": NOW + 60_005}
    fields = await hash_of(store, keys, "1")
    assert (fields["data"], fields["delay"]) == ("1", "60000")
    assert (await entries_of(store, keys))[-2:] == [
        {"event": "deduplicated", "jobId": "1", "deduplicationId": "k", "deduplicatedJobId": "2"},
        {"event": "delayed", "jobId": "1", "delay": str(NOW + 60_005)},
    ]


async def test_only_a_delayed_job_is_rescheduled(store: Store, keys: QueueKeys) -> None:
    dedup = Deduplication("k", reschedule=True)
    await add(store, keys, dedup)

    await add(store, keys, dedup, delay=MINUTE)

    assert await state_of(store, keys, "1") is JobState.WAITING


class TestKeepLastIfActive:
    KEEP = Deduplication("k", keep_last_if_active=True)

    async def test_while_its_job_waits_an_add_is_dropped(
        self, store: Store, keys: QueueKeys
    ) -> None:
        await add(store, keys, self.KEEP)

        await add(store, keys, self.KEEP, data=b"2")

        assert await store.command("EXISTS", keys.base + "dn:k") == 0

    @pytest.mark.parametrize("end", [complete, fail])
    async def test_the_newest_payload_runs_when_its_job_has_ended(
        self, store: Store, keys: QueueKeys, end: object
    ) -> None:
        await add(store, keys, self.KEEP)
        job = await take(store, keys)
        for data in (b"2", b"3"):
            assert (await add(store, keys, self.KEEP, data=data)).id == job.id

        await trade(store, keys, end(job), now_ms=NOW + 9)  # type: ignore[operator]  # one of two builders

        fields = await hash_of(store, keys, "3")
        assert (fields["data"], fields["deid"], fields["timestamp"]) == ("3", "k", str(NOW + 9))
        assert await list_of(store, keys, "wait") == ["3"]
        assert await scores_of(store, keys, "marker") == {"0": 0}
        assert await holder(store, keys) == "3"
        assert await store.command("EXISTS", keys.base + "dn:k") == 0
        assert await store.command("GET", keys["id"]) == b"4"
        told = await events_of(store, keys)
        assert told[told.index("active") + 3 :][:3] == ["added", "waiting", job_event(end)]

    async def test_it_keeps_its_own_options(self, store: Store, keys: QueueKeys) -> None:
        await add(store, keys, self.KEEP)
        job = await take(store, keys)
        await add(store, keys, self.KEEP, delay=MINUTE, priority=3)

        await trade(store, keys, complete(job), now_ms=NOW)

        fields = await hash_of(store, keys, "2")
        assert (fields["delay"], fields["priority"]) == ("60000", "3")
        assert await scores_of(store, keys, "delayed") == {"2": (NOW + 60_000) * 4096}
        assert (await scores_of(store, keys, "marker"))["1"] == NOW + 60_000

    async def test_a_window_ends_when_a_payload_waits(self, store: Store, keys: QueueKeys) -> None:
        await add(store, keys, Deduplication("k", ttl=MINUTE))
        await take(store, keys)

        await add(store, keys, self.KEEP, data=b"2")

        assert await ttl(store, keys) == -1

    @pytest.mark.parametrize(
        "said", ["null", '{"priority":null,"delay":null,"de":null}', "{no", "[]"]
    )
    async def test_what_another_engine_left_never_loses_the_job_at_hand(
        self, store: Store, keys: QueueKeys, said: str
    ) -> None:
        await add(store, keys, self.KEEP)
        job = await take(store, keys)
        await store.command("HSET", keys.base + "dn:k", "name", "n", "data", "2", "opts", said)

        ended = await trade(store, keys, complete(job))

        assert ended.codes == [0]
        assert await state_of(store, keys, job.id) is JobState.COMPLETED
        assert await list_of(store, keys, "wait") == ["2"]

    async def test_a_payload_with_a_parent_becomes_its_child(
        self, store: Store, keys: QueueKeys
    ) -> None:
        await add(store, keys, self.KEEP)
        job = await take(store, keys)
        parent = keys.job("top")
        await store.command(
            "HSET", keys.base + "dn:k", "name", "n", "data", "2", "opts", '{"lifo":true}',
            "jid", "next", "pk", parent, "pd", '{"id":"top"}', "pdk", f"{parent}:dependencies",
            "rjk", "daily",
        )  # fmt: skip

        await trade(store, keys, complete(job))

        fields = await hash_of(store, keys, "next")
        assert (fields["parentKey"], fields["parent"]) == (parent, '{"id":"top"}')
        assert fields["rjk"] == "daily"
        members = await store.command("SMEMBERS", f"{parent}:dependencies")
        assert list(members) == [keys.job("next").encode()]

    @pytest.mark.parametrize("odd", ["dn:k", "de:k"])
    async def test_a_key_of_the_wrong_type_keeps_no_job_from_ending(
        self, store: Store, keys: QueueKeys, odd: str
    ) -> None:
        await add(store, keys, self.KEEP)
        job = await take(store, keys)
        await store.command("DEL", keys.base + odd)
        await store.command("LPUSH", keys.base + odd, "x")

        ended = await trade(store, keys, complete(job))

        assert ended.codes == [0]
        assert await state_of(store, keys, job.id) is JobState.COMPLETED

    async def test_an_id_that_is_taken_meanwhile_overwrites_no_job(
        self, store: Store, keys: QueueKeys
    ) -> None:
        await add(store, keys, self.KEEP)
        job = await take(store, keys)
        await store.command("HSET", keys.base + "dn:k", "name", "n", "data", "2", "jid", job.id)

        await trade(store, keys, complete(job))

        assert (await hash_of(store, keys, job.id))["data"] == "1"
        assert await list_of(store, keys, "wait") == ["2"]

    async def test_what_waits_behind_another_job_waits_on(
        self, store: Store, keys: QueueKeys
    ) -> None:
        await add(store, keys, self.KEEP)
        job = await take(store, keys)
        await store.command("SET", keys.base + "de:k", "99")
        await store.command("HSET", keys.base + "dn:k", "name", "n", "data", "2")

        await trade(store, keys, complete(job))

        assert await store.command("EXISTS", keys.base + "dn:k") == 1


def job_event(end: object) -> str:
    return "completed" if end is complete else "failed"


@pytest.mark.parametrize(
    "dedup",
    [
        SIMPLE,
        Deduplication("k", replace=True),
        Deduplication("k", keep_last_if_active=True),
        Deduplication("k", ttl=MINUTE, extend=True),
    ],
)
async def test_a_holder_that_is_gone_makes_way(
    store: Store, keys: QueueKeys, dedup: Deduplication
) -> None:
    await store.command("SET", keys.base + "de:k", "77")
    await store.command("HSET", keys.base + "dn:k", "name", "old")

    added = await add(store, keys, dedup)

    assert not added.is_duplicate
    assert await holder(store, keys) == added.id
    assert await store.command("EXISTS", keys.base + "dn:k") == 0


async def test_a_window_outlives_its_removed_job(store: Store, keys: QueueKeys) -> None:
    await store.command("SET", keys.base + "de:k", "77", "PX", 60_000)

    assert (await add(store, keys)).id == "77"


async def test_a_custom_id_is_looked_at_first(store: Store, keys: QueueKeys) -> None:
    await add(store, keys, SIMPLE, job_id="mine")

    [again] = await add_tied(
        store, keys, [tied(keys, deduplication=Deduplication("other"), job_id="mine")]
    )

    assert isinstance(again, Sequence)
    assert again[0].is_duplicate
    assert (await events_of(store, keys))[-1] == "duplicated"
    assert await store.command("EXISTS", keys.base + "de:other") == 0
