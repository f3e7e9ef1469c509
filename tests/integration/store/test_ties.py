"""Jobs that are added with a parent or with children: whole, or not at all."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from framework.errors import OtherParentError, ParentNotFoundError, TransitionError
from framework.model.job import JobId, JobState
from framework.model.options import Deduplication, ParentJob
from framework.store.store import Store
from framework.store.transitions.add import AddedJob
from framework.store.transitions.add_linked import LinkedJob
from framework.store.transitions.removal import remove_job
from framework.wire.keys import QueueKeys
from tests.support.builders import (
    NOW,
    active_job,
    add_tied,
    complete,
    dump_of,
    events_of,
    fail,
    hash_of,
    list_of,
    scores_of,
    state_of,
    tied,
    trade,
    waiting_job,
)

TOP = ParentJob("top", "parents")


@pytest.fixture
def parents(prefix: str) -> QueueKeys:
    """The queue of the parent."""
    return QueueKeys(prefix, "parents")


async def put(store: Store, keys: QueueKeys, *jobs: LinkedJob) -> Sequence[AddedJob]:
    [answer] = await add_tied(store, keys, jobs)
    assert isinstance(answer, Sequence)
    return answer


async def refused(store: Store, keys: QueueKeys, *jobs: LinkedJob) -> TransitionError:
    [answer] = await add_tied(store, keys, jobs)
    assert isinstance(answer, TransitionError)
    return answer


def top(parents: QueueKeys, **options: object) -> LinkedJob:
    return tied(parents, "top", job_id="top", waits=True, **options)  # type: ignore[arg-type]  # options, not the name


def child(keys: QueueKeys, job_id: str = "", **options: object) -> LinkedJob:
    return tied(keys, "child", job_id=job_id, in_flow=True, **{"parent": TOP, **options})  # type: ignore[arg-type]  # options, not the name


async def dependencies(store: Store, parent: str) -> list[str]:
    found = await store.command("SMEMBERS", f"{parent}:dependencies")
    return sorted(one.decode() for one in found)


async def processed(store: Store, parent: str) -> dict[str, str]:
    found = await store.command("HGETALL", f"{parent}:processed")
    return {name.decode(): value.decode() for name, value in found.items()}


async def test_a_flow_stands_in_two_queues(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    added = await put(store, parents, top(parents), child(keys, "a"), child(keys, "b"))

    assert [one.id for one in added] == ["top", "a", "b"]
    assert await state_of(store, parents, "top") is JobState.WAITING_CHILDREN
    assert await scores_of(store, parents, "waiting_children") == {"top": NOW}
    assert await scores_of(store, parents, "marker") == {}
    assert await events_of(store, parents) == ["added", "waiting-children"]
    assert await list_of(store, keys, "wait") == ["b", "a"]
    assert await scores_of(store, keys, "marker") == {"0": 0}
    assert await events_of(store, keys) == ["added", "waiting", "added", "waiting"]
    assert await dependencies(store, parents.job("top")) == [keys.job("a"), keys.job("b")]
    fields = await hash_of(store, keys, "a")
    assert fields["parentKey"] == parents.job("top")
    assert json.loads(fields["parent"]) == {
        "id": "top", "queueKey": parents.qualified, "fpof": True
    }  # fmt: skip
    assert [await store.command("GET", one["id"]) for one in (parents, keys)] == [b"1", b"2"]


async def test_children_go_where_their_options_say(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    await put(
        store, parents, top(parents), child(keys, "a", delay=timedelta(minutes=1)),
        child(keys, "b", priority=2), child(keys, "c"), child(keys, "d", lifo=True),
    )  # fmt: skip

    assert await scores_of(store, keys, "delayed") == {"a": (NOW + 60_000) * 4096}
    assert await scores_of(store, keys, "prioritized") == {"b": 2 * 2**32 + 1}
    assert await list_of(store, keys, "wait") == ["c", "d"]
    assert await scores_of(store, keys, "marker") == {"0": 0, "1": NOW + 60_000}


async def test_a_paused_queue_gets_its_jobs_where_its_mode_says(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    await store.command("HSET", keys["meta"], "paused", 1, "x-fw.pause", "v5")

    await put(store, parents, top(parents), child(keys, "a"))

    assert await list_of(store, keys, "paused") == ["a"]
    assert await scores_of(store, keys, "marker") == {}


async def test_a_running_job_gets_children(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    job = await active_job(store, parents)

    [added] = await put(store, keys, child(keys, parent=ParentJob(job.id, "parents")))

    assert added.id == "1"
    assert await dependencies(store, parents.job(job.id)) == [keys.job("1")]
    assert (await trade(store, parents, complete(job))).codes == [-4]


async def test_without_its_parent_nothing_is_added(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    before = await dump_of(store, keys)

    error = await refused(store, keys, child(keys, "a"), child(keys, "b"))

    assert isinstance(error, ParentNotFoundError)
    assert (error.job_id, error.queue, error.code) == ("a", "demo", -5)
    assert error.parent == parents.job("top")
    assert await dump_of(store, keys) == before


async def test_the_child_of_another_parent_refuses_the_whole_flow(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    other = tied(parents, "top", job_id="other", waits=True)
    await put(store, parents, other, child(keys, "a", parent=ParentJob("other", "parents")))
    before = await events_of(store, keys)

    error = await refused(store, parents, top(parents), child(keys, "b"), child(keys, "a"))

    assert isinstance(error, OtherParentError)
    assert (error.job_id, error.code) == ("a", -7)
    assert await events_of(store, keys) == before
    assert await list_of(store, keys, "wait") == ["a"]
    assert await hash_of(store, parents, "top") == {}


async def test_a_child_cannot_have_two_parents_in_one_flow(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    second = tied(parents, "top", job_id="second", waits=True)

    error = await refused(
        store, parents, top(parents), child(keys, "a"), second,
        child(keys, "a", parent=ParentJob("second", "parents")),
    )  # fmt: skip

    assert isinstance(error, OtherParentError)
    assert await hash_of(store, parents, "top") == {}


async def test_no_job_waits_for_itself(store: Store, keys: QueueKeys, parents: QueueKeys) -> None:
    inner = tied(parents, "inner", job_id="inner", waits=True, parent=TOP, in_flow=True)
    itself = tied(parents, "top", job_id="top", parent=ParentJob("inner", "parents"), in_flow=True)

    error = await refused(store, parents, top(parents), inner, itself)

    assert isinstance(error, OtherParentError)
    assert await hash_of(store, parents, "top") == {}


async def test_no_job_becomes_the_child_of_one_below_it(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    await put(store, parents, top(parents), child(keys, "a"))

    error = await refused(
        store, parents, tied(parents, job_id="top", parent=ParentJob("a", "demo"))
    )

    assert isinstance(error, OtherParentError)
    assert await dependencies(store, keys.job("a")) == []


async def test_a_child_whose_parent_is_gone_gets_a_new_one(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    await put(store, parents, top(parents), child(keys, "a"))
    await store.command("DEL", parents.job("top"))
    new = tied(parents, "top", job_id="new", waits=True)

    await put(store, parents, new, child(keys, "a", parent=ParentJob("new", "parents")))

    assert (await hash_of(store, keys, "a"))["parentKey"] == parents.job("new")
    assert await dependencies(store, parents.job("new")) == [keys.job("a")]


async def test_callers_of_one_call_get_each_their_own_answer(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    job = await active_job(store, parents)
    good = child(keys, parent=ParentJob(job.id, "parents"))

    first, second, third = await add_tied(store, keys, [good], [child(keys)], [good, good])

    assert isinstance(first, Sequence)
    assert isinstance(third, Sequence)
    assert [one.id for one in (*first, *third)] == ["1", "2", "3"]
    assert isinstance(second, ParentNotFoundError)


@pytest.mark.parametrize("odd", ["top", "top:dependencies"])
async def test_odd_keys_of_one_parent_do_not_reach_other_callers(
    store: Store, keys: QueueKeys, parents: QueueKeys, odd: str
) -> None:
    job = await active_job(store, parents)
    await put(store, parents, top(parents), child(parents, "x"))
    await store.command("DEL", parents.job(odd))
    await store.command("SET", parents.job(odd), "odd")
    good = child(keys, parent=ParentJob(job.id, "parents"))
    bad = child(keys, "a", parent=TOP)
    again = child(parents, "x", parent=ParentJob(job.id, "parents"))

    first, second, third = await add_tied(store, keys, [good], [bad, again], [good])

    assert isinstance(first, Sequence)
    assert isinstance(third, Sequence)
    assert isinstance(second, TransitionError)
    assert [one.id for one in (*first, *third)] == ["1", "2"]


async def test_a_job_that_waits_is_adopted(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    await waiting_job(store, keys, job_id="a")

    _, there = await put(store, parents, top(parents), child(keys, "a"))

    assert there.is_duplicate
    assert (await events_of(store, keys))[-1] == "duplicated"
    assert await dependencies(store, parents.job("top")) == [keys.job("a")]
    assert (await hash_of(store, keys, "a"))["parentKey"] == parents.job("top")


async def test_a_completed_job_counts_as_done_but_the_parent_waits_for_the_rest(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    job = await active_job(store, keys, job_id="a")
    await trade(store, keys, complete(job, b'{"v":1}'))

    await put(store, parents, top(parents), child(keys, "a"), child(keys, "b"))

    assert await processed(store, parents.job("top")) == {keys.job("a"): '{"v":1}'}
    assert await dependencies(store, parents.job("top")) == [keys.job("b")]
    assert await state_of(store, parents, "top") is JobState.WAITING_CHILDREN


async def test_a_parent_whose_children_had_all_completed_runs_at_once(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    job = await active_job(store, keys, job_id="a")
    await trade(store, keys, complete(job))
    await store.command("LPUSH", parents["wait"], "before")

    await put(store, parents, top(parents), child(keys, "a"))

    assert await list_of(store, parents, "wait") == ["before", "top"]
    assert await scores_of(store, parents, "marker") == {"0": 0}
    assert (await events_of(store, parents))[-1] == "waiting"


async def test_a_child_that_failed_for_its_parent_does_not_hold_it_again(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    parent = await active_job(store, parents)
    again = child(keys, "a", parent=ParentJob(parent.id, "parents"), on_child_failure="ignore")
    await put(store, keys, again)
    await trade(store, keys, fail((await trade(store, keys, want=1)).jobs[0]))

    await put(store, keys, again)

    assert await dependencies(store, parents.job(parent.id)) == []


async def test_a_flow_whose_only_child_is_deduplicated_runs_at_once(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    same = Deduplication("k")
    await put(store, keys, tied(keys, deduplication=same))

    await put(store, parents, top(parents), child(keys, "a", deduplication=same))

    assert await state_of(store, parents, "top") is JobState.WAITING


async def test_a_parent_whose_id_holds_colons_is_found_by_its_json(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    parent = await active_job(store, parents)
    odd = "repeat:daily:1795293005740"
    await store.command("RENAME", parents.job(parent.id), parents.job(odd))
    await store.command("ZADD", parents["waiting_children"], NOW, odd)
    done = await active_job(store, keys, job_id="a")
    await trade(store, keys, complete(done))

    await put(store, keys, child(keys, "a", parent=ParentJob(odd, "parents")))

    assert (await list_of(store, parents, "wait"))[-1:] == [odd]


async def test_a_removed_child_releases_a_parent_whose_id_holds_colons(
    store: Store, keys: QueueKeys, parents: QueueKeys
) -> None:
    parent = await active_job(store, parents)
    odd = "repeat:daily:1795293005740"
    await store.command("RENAME", parents.job(parent.id), parents.job(odd))
    await store.command("ZADD", parents["waiting_children"], NOW, odd)
    await put(store, keys, child(keys, "a", parent=ParentJob(odd, "parents")))

    await remove_job(store, keys, JobId("a"))

    assert (await list_of(store, parents, "wait"))[-1:] == [odd]
