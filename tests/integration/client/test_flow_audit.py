"""Parents that wait for nothing any more are found and go on, as their children would have it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from framework import Application, Flow, FlowProducer, Job, JobState, processor
from framework.model.options import OnChildFailure
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.worker.audit import look_once
from tests.support.apps import Open, working
from tests.support.builders import entries_of, hash_of
from tests.support.until import until

NOW = 1_795_293_005_740


@pytest.fixture
async def app(open_app: Open) -> AsyncIterator[Application]:
    async with open_app() as app:
        yield app


@pytest.fixture
def tops(prefix: str) -> QueueKeys:
    return QueueKeys(prefix, "tops")


@pytest.fixture
def kids(prefix: str) -> QueueKeys:
    return QueueKeys(prefix, "kids")


async def family(
    app: Application, *children: str, policy: OnChildFailure = "fail", job_id: str = "top"
) -> None:
    flows = await app.get(FlowProducer)
    nodes = [Flow.named("kids", "n", job_id=one) for one in children]
    await flows.add(Flow.named("tops", "top", None, nodes, job_id=job_id, on_child_failure=policy))


async def ends_untold(
    store: Store, kids: QueueKeys, job_id: str, state: str, **fields: str
) -> None:
    """Let a child end as an engine would that tells its parent nothing."""
    await store.command("LREM", kids["wait"], 1, job_id)
    await store.command("ZADD", kids[state], NOW, job_id)
    for name, value in fields.items():
        await store.command("HSET", kids.job(job_id), name, value)


async def test_a_family_in_order_is_left_alone(app: Application) -> None:
    await family(app, "a", "b")

    found = await app.queue("tops").audit_flows()

    assert (found.looked_at, found.repaired, found.held) == (1, (), ())
    assert await app.queue("tops").state("top") is JobState.WAITING_CHILDREN


async def test_children_that_are_gone_are_waited_for_no_more(
    app: Application, store: Store, tops: QueueKeys, kids: QueueKeys
) -> None:
    await family(app, "a", "b")
    await store.command("DEL", kids.job("a"), kids.job("b"))

    found = await app.queue("tops").audit_flows()

    assert found.repaired == ("top",)
    assert await app.queue("tops").state("top") is JobState.WAITING
    assert (await entries_of(store, tops))[-1] == {
        "event": "waiting", "jobId": "top", "prev": "waiting-children"
    }  # fmt: skip


async def test_a_child_that_lives_holds_its_parent_whatever_became_of_the_others(
    app: Application, store: Store, kids: QueueKeys
) -> None:
    await family(app, "a", "b")
    await store.command("DEL", kids.job("a"))

    found = await app.queue("tops").audit_flows()

    assert found.repaired == ()
    assert await app.queue("tops").state("top") is JobState.WAITING_CHILDREN


async def test_a_completed_child_is_told_to_its_parent(
    app: Application, store: Store, kids: QueueKeys
) -> None:
    await family(app, "a")
    await ends_untold(store, kids, "a", "completed", returnvalue='{"v":1}')

    found = await app.queue("tops").audit_flows()

    assert found.repaired == ("top",)
    assert list((await app.queue("tops").children_values("top")).values()) == [{"v": 1}]


@pytest.mark.parametrize(
    ("policy", "ignored", "failed"),
    [("fail", 0, 1), ("continue", 1, 0), ("ignore", 1, 0), ("remove", 0, 0)],
)
async def test_a_failed_child_does_to_its_parent_what_was_agreed(
    app: Application,
    store: Store,
    tops: QueueKeys,
    kids: QueueKeys,
    policy: OnChildFailure,
    ignored: int,
    failed: int,
) -> None:
    await family(app, "a", policy=policy)
    await ends_untold(store, kids, "a", "failed", failedReason="boom")

    found = await app.queue("tops").audit_flows()

    assert found.repaired == ("top",)
    counts = await app.queue("tops").dependencies_count("top")
    assert (counts.ignored, counts.failed) == (ignored, failed)
    assert ("defa" in await hash_of(store, tops, "top")) is (policy == "fail")


async def test_a_failed_child_without_a_policy_holds_its_parent_and_is_told(
    app: Application, store: Store, kids: QueueKeys
) -> None:
    await family(app, "a")
    await ends_untold(store, kids, "a", "failed", parent="{}")

    found = await app.queue("tops").audit_flows()

    assert (found.repaired, found.held) == ((), ("top",))
    assert await app.queue("tops").state("top") is JobState.WAITING_CHILDREN


async def test_a_parent_whose_id_holds_colons_is_mended(
    app: Application, store: Store, tops: QueueKeys
) -> None:
    odd = "repeat:daily:1795293005740"
    await store.command("HSET", tops.job(odd), "name", "n", "priority", 0, "delay", 0)
    await store.command("ZADD", tops["waiting_children"], NOW, odd)

    found = await app.queue("tops").audit_flows()

    assert found.repaired == (odd,)
    assert await app.queue("tops").state(odd) is JobState.WAITING


async def test_more_parents_than_a_page_are_looked_at(
    app: Application, store: Store, kids: QueueKeys
) -> None:
    for n in range(130):
        await family(app, f"c{n}", job_id=f"t{n}")
    for n in range(0, 130, 2):
        await store.command("DEL", kids.job(f"c{n}"))

    found = await app.queue("tops").audit_flows()

    assert found.looked_at == 130
    assert sorted(found.repaired) == sorted(f"t{n}" for n in range(0, 130, 2))


async def test_a_parent_that_waits_for_a_short_time_is_left_alone(
    app: Application, store: Store, kids: QueueKeys
) -> None:
    await family(app, "a")
    await store.command("DEL", kids.job("a"))

    found = await app.queue("tops").audit_flows(waiting_for=timedelta(minutes=1))

    assert found.looked_at == 0


async def test_our_workers_mend_families_by_themselves(
    open_app: Open, store: Store, kids: QueueKeys
) -> None:
    ran: list[str] = []

    @processor("tops", stalled_interval=timedelta(milliseconds=100))
    async def run(job: Job[Any]) -> None:
        ran.append(job.id)

    app = open_app(run)
    async with working(app):
        await family(app, "a")
        await store.command("DEL", kids.job("a"))

        await until(lambda: ran == ["top"], message="the parent has run")


async def test_a_look_that_finds_many_goes_on_behind_them_the_next_time(
    app: Application, store: Store, tops: QueueKeys, kids: QueueKeys
) -> None:
    flows = await app.get(FlowProducer)
    many = [
        Flow.named("tops", "t", None, [Flow.named("kids", "n", job_id=f"c{n}")], job_id=f"t{n}")
        for n in range(1050)
    ]
    await flows.add_bulk(many)
    last = (await store.command("ZRANGE", tops["waiting_children"], -1, -1))[0].decode()
    await store.command("DEL", kids.job(last.replace("t", "c")))

    first = await look_once(store, tops, 1, 0)
    state = await app.queue("tops").state(last)
    await until(lambda: is_free(store, tops), message="our turn")
    second = await look_once(store, tops, 1, first)

    assert (first, second) == (1000, 0)
    assert state is JobState.WAITING_CHILDREN
    assert await app.queue("tops").state(last) is JobState.WAITING


async def is_free(store: Store, tops: QueueKeys) -> bool:
    """Tell whether a look may be made again."""
    return not await store.command("EXISTS", tops.audit)
