"""Looking at parents and children, parting them, and removing what nobody needs any more."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from framework import (
    Application,
    Deduplication,
    Flow,
    FlowProducer,
    Job,
    JobNotFoundError,
    JobState,
    ParentNotFoundError,
    PayloadError,
    processor,
)
from framework.model.job import ChildCounts
from tests.support.apps import Open, working
from tests.support.until import until


@processor("work", concurrency=5)
async def work(job: Job[Any]) -> object:
    if job.name == "bad":
        raise ValueError("boom")
    return job.data


@pytest.fixture
async def app(open_app: Open) -> AsyncIterator[Application]:
    async with open_app(work) as app:
        yield app


@pytest.fixture
async def flows(app: Application) -> FlowProducer:
    return await app.get(FlowProducer)


def top(*children: Flow[Any], job_id: str = "top") -> Flow[Any]:
    return Flow.named("tops", "top", None, children, job_id=job_id)


def leaf(job_id: str, name: str = "n", data: Any = None, **options: Any) -> Flow[Any]:  # noqa: ANN401 - whatever
    return Flow.named("work", name, data, job_id=job_id, **options)


def idle(job_id: str, *children: Flow[Any]) -> Flow[Any]:
    """A job of a queue that nobody works."""
    return Flow.named("idle", "n", None, children, job_id=job_id)


async def waits_for(app: Application, *, pending: int, queue: str = "tops") -> None:
    async def has_come_so_far() -> bool:
        return (await app.queue(queue).dependencies_count("top")).unprocessed == pending

    await until(has_come_so_far, message=f"{pending} children are pending")


@pytest.fixture
async def mixed(open_app: Open) -> AsyncIterator[Application]:
    """A parent with a child of every outcome."""
    app = open_app(work)
    async with working(app):
        flows = await app.get(FlowProducer)
        await flows.add(
            top(
                leaf("a", data={"v": 1}),
                leaf("b", data="two"),
                leaf("c", "bad", on_failure="ignore"),
                leaf("d", "bad", on_failure="fail"),
                leaf("e", "bad", on_failure="remove"),
                idle("f"),
            )
        )
        await waits_for(app, pending=1)
        yield app


class TestReading:
    async def test_children_by_what_became_of_them(self, mixed: Application) -> None:
        queue, prefix = mixed.queue("tops"), mixed.settings.prefix

        found = await queue.dependencies("top")

        assert found.processed == {f"{prefix}:work:a": {"v": 1}, f"{prefix}:work:b": "two"}
        assert found.unprocessed == (f"{prefix}:idle:f",)
        assert found.ignored == {f"{prefix}:work:c": "boom"}
        assert found.failed == (f"{prefix}:work:d",)
        assert await queue.dependencies_count("top") == ChildCounts(2, 1, 1, 1)
        assert await queue.children_values("top") == found.processed
        assert await queue.ignored_children("top") == found.ignored
        assert await queue.failed_children("top") == list(found.failed)

    async def test_values_are_checked_if_a_type_is_named(self, mixed: Application) -> None:
        queue = mixed.queue("tops")

        assert len(await queue.children_values("top", dict[str, int] | str)) == 2
        with pytest.raises(PayloadError):
            await queue.children_values("top", int)

    async def test_children_come_page_by_page(self, app: Application, flows: FlowProducer) -> None:
        await flows.add(top(*(idle(f"c{n}") for n in range(600))))
        seen: set[str] = set()
        cursor, pages = 0, 0
        while True:
            page = await app.queue("tops").dependencies_page(
                "top", "unprocessed", cursor=cursor, count=50
            )
            seen |= set(page.children)
            cursor, pages = page.cursor, pages + 1
            if cursor == 0:
                break

        assert seen == {f"{app.settings.prefix}:idle:c{n}" for n in range(600)}
        assert pages > 1

    async def test_a_page_of_each_outcome(self, mixed: Application) -> None:
        queue, prefix = mixed.queue("tops"), mixed.settings.prefix

        processed = await queue.dependencies_page("top", "processed")
        ignored = await queue.dependencies_page("top", "ignored")
        failed = await queue.dependencies_page("top", "failed")

        assert processed.children == {f"{prefix}:work:a": {"v": 1}, f"{prefix}:work:b": "two"}
        assert ignored.children == {f"{prefix}:work:c": "boom"}
        assert failed.children == {f"{prefix}:work:d": None}

    async def test_the_tree_below_a_job(self, app: Application, flows: FlowProducer) -> None:
        await flows.add(top(idle("a", idle("a1"), idle("a2")), idle("b")))

        tree = await flows.get_flow("tops", "top")

        assert tree is not None
        assert tree.job.name == "top"
        assert {child.job.id for child in tree.children} == {"a", "b"}
        assert {job.id for job in tree} == {"top", "a", "a1", "a2", "b"}

    async def test_only_as_deep_and_wide_as_asked(
        self, app: Application, flows: FlowProducer
    ) -> None:
        await flows.add(top(*(idle(f"c{n}", idle(f"c{n}-x")) for n in range(9))))

        shallow = await flows.get_flow("tops", "top", depth=2, max_children=4)
        single = await flows.get_flow("tops", "top", depth=1)

        assert shallow is not None
        assert len(shallow.children) == 4
        assert all(child.children == () for child in shallow.children)
        assert single is not None
        assert single.children == ()

    async def test_children_that_are_gone_are_left_out_of_the_tree(
        self, app: Application, flows: FlowProducer
    ) -> None:
        await flows.add(top(idle("a"), idle("b")))
        await app.store.command("DEL", f"{app.settings.prefix}:idle:a")

        tree = await flows.get_flow("tops", "top")

        assert tree is not None
        assert [child.job.id for child in tree.children] == ["b"]
        assert await flows.get_flow("tops", "gone") is None

    async def test_ids_that_no_job_can_have(self, app: Application, flows: FlowProducer) -> None:
        assert await flows.get_flow("tops", "meta") is None
        with pytest.raises(JobNotFoundError):
            await app.queue("tops").dependencies("meta")


class TestParting:
    async def test_a_child_is_parted_from_its_parent(
        self, app: Application, flows: FlowProducer
    ) -> None:
        await flows.add(top(idle("a"), idle("b")))
        children = app.queue("idle")

        assert await children.remove_child_dependency("a")
        assert not await children.remove_child_dependency("a")

        job = await children.job("a")
        assert job is not None
        assert job.parent_key is None
        assert await app.queue("tops").state("top") is JobState.WAITING_CHILDREN
        assert await children.remove_child_dependency("b")
        assert await app.queue("tops").state("top") is JobState.WAITING

    async def test_what_is_gone_cannot_be_parted(
        self, app: Application, flows: FlowProducer
    ) -> None:
        await flows.add(top(idle("a")))
        children = app.queue("idle")

        with pytest.raises(JobNotFoundError):
            await children.remove_child_dependency("gone")
        await app.store.command("DEL", f"{app.settings.prefix}:tops:top")
        with pytest.raises(ParentNotFoundError):
            await children.remove_child_dependency("a")


class TestRemovingUnprocessed:
    async def test_what_is_not_needed_any_more_goes(
        self, app: Application, flows: FlowProducer
    ) -> None:
        await flows.add(top(idle("a", idle("a1")), idle("b")))

        assert await app.queue("tops").remove_unprocessed_children("top") == 3

        assert sum((await app.queue("idle").counts()).values()) == 0
        assert await app.queue("tops").state("top") is JobState.WAITING
        assert await app.queue("tops").dependencies_count("top") == ChildCounts(0, 0, 0, 0)

    async def test_finished_children_stay(self, mixed: Application) -> None:
        queue = mixed.queue("tops")

        assert await queue.remove_unprocessed_children("top") == 1

        assert await queue.dependencies_count("top") == ChildCounts(2, 0, 1, 1)
        assert await mixed.queue("work").state("a") is JobState.COMPLETED
        assert await mixed.queue("work").state("d") is JobState.FAILED

    async def test_children_at_work_stay_and_hold_their_parent(
        self, app: Application, flows: FlowProducer
    ) -> None:
        await flows.add(top(idle("a"), idle("b")))
        await app.store.command("SET", f"{app.settings.prefix}:idle:a:lock", "token")

        assert await app.queue("tops").remove_unprocessed_children("top") == 1

        assert await app.queue("tops").state("top") is JobState.WAITING_CHILDREN
        assert (await app.queue("tops").dependencies_count("top")).unprocessed == 1

    async def test_more_than_a_thousand_go_in_parts(
        self, app: Application, flows: FlowProducer
    ) -> None:
        await flows.add(top(*(idle(f"c{n}") for n in range(1100))))

        assert await app.queue("tops").remove_unprocessed_children("top") == 1100

        assert await app.queue("tops").state("top") is JobState.WAITING

    async def test_a_child_that_goes_sets_its_deduplication_id_free(
        self, app: Application, flows: FlowProducer
    ) -> None:
        same = Deduplication("k")
        await flows.add(top(leaf("a", deduplication=same)))

        await app.queue("tops").remove_unprocessed_children("top")

        assert await app.queue("work").deduplication_job_id("k") is None


class TestDeduplicationKeys:
    async def test_the_holder_of_an_id_is_told(self, app: Application) -> None:
        queue = app.queue("work")
        job = await queue.add("n", deduplication=Deduplication("a:b"))

        assert await queue.deduplication_job_id("a:b") == job.id
        assert await queue.deduplication_job_id("other") is None

    async def test_an_id_is_set_free(self, app: Application) -> None:
        queue = app.queue("work")
        await queue.add("n", deduplication=Deduplication("k"))

        assert await queue.remove_deduplication_key("k")
        assert not await queue.remove_deduplication_key("k")

        assert (await queue.add("n", deduplication=Deduplication("k"))).id == "2"

    async def test_an_id_is_set_free_for_its_holder_alone(self, app: Application) -> None:
        queue = app.queue("work")
        job = await queue.add("n", deduplication=Deduplication("k"))

        assert not await queue.remove_deduplication_key("k", job_id="99")
        assert await queue.remove_deduplication_key("k", job_id=job.id)
