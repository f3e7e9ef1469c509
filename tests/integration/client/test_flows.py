"""Trees of jobs: described by their payloads, added whole or not at all."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import anyio
import pytest
from anyio import to_thread
from pydantic import BaseModel

from framework import (
    Application,
    Deduplication,
    Flow,
    FlowProducer,
    Job,
    JobOptions,
    JobState,
    OptionsError,
    OtherParentError,
    ParentJob,
    ParentNotFoundError,
    PayloadError,
    Producer,
    RouteError,
    SyncContext,
    SyncFlowProducer,
    processor,
)
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, declared, settings_of, working
from tests.support.builders import dump_of, hash_of
from tests.support.until import until

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Digest(BaseModel):
    title: str


class Page(BaseModel):
    url: str


class Picture(Page):
    width: int = 1


class Unknown(BaseModel):
    x: int = 0


@processor("digests")
async def digest(job: Job[Digest]) -> str:
    return job.data.title


@processor("pages", defaults=JobOptions(attempts=3))
async def page(job: Job[Page]) -> str:
    if job.data.url == "bad":
        raise ValueError("no such page")
    return job.data.url


@pytest.fixture
async def app(open_app: Open) -> AsyncIterator[Application]:
    async with open_app(digest, page) as app:
        yield app


@pytest.fixture
async def flows(app: Application) -> FlowProducer:
    return await app.get(FlowProducer)


def pages(*urls: str) -> list[Flow[Page]]:
    return [Flow(Page(url=url)) for url in urls]


async def children_of(app: Application, job: Job[Any]) -> list[Job[Any]]:
    base = f"{app.settings.prefix}:{job.queue}:{job.id}:dependencies"
    found = [key.decode().split(":") for key in await app.store.command("SMEMBERS", base)]
    jobs = [await app.queue(queue).job(job_id) for _, queue, job_id in found]
    return sorted((job for job in jobs if job is not None), key=lambda job: str(job.data))


async def nothing_in(app: Application) -> bool:
    found = await app.store.command("KEYS", f"{app.settings.prefix}:*")
    return not [key for key in found if b":meta" not in key]


async def test_the_places_of_a_tree_come_from_its_payloads(
    app: Application, flows: FlowProducer
) -> None:
    root = await flows.add(Flow(Digest(title="d"), pages("a", "b")))

    assert (root.queue, root.name, root.data) == ("digests", "digest", Digest(title="d"))
    assert UUID.fullmatch(root.id)
    assert await app.queue("digests").state(root.id) is JobState.WAITING_CHILDREN
    children = await children_of(app, root)
    assert [child.data for child in children] == [{"url": "a"}, {"url": "b"}]
    assert all(UUID.fullmatch(child.id) for child in children)
    assert {(child.queue, child.name) for child in children} == {("pages", "page")}
    assert [child.attempts for child in children] == [3, 3]
    assert {child.parent_key for child in children} == {f"{app.settings.prefix}:digests:{root.id}"}


async def test_a_parent_runs_after_its_children(open_app: Open) -> None:
    order: list[str] = []

    @processor("digests")
    async def parent(job: Job[Digest]) -> str:
        order.append(job.data.title)
        return "done"

    @processor("pages", concurrency=3)
    async def child(job: Job[Page]) -> str:
        order.append(job.data.url)
        return job.data.url

    app = open_app(parent, child)
    async with working(app):
        flows = await app.get(FlowProducer)
        root = await flows.add(
            Flow(Digest(title="top"), [Flow(Digest(title="mid"), pages("a", "b")), *pages("c")])
        )
        producer: Producer[Digest, str] = await app.producer(Digest)

        assert await producer.result(root.id) == "done"

    assert sorted(order) == ["a", "b", "c", "mid", "top"]
    assert order[-1] == "top"
    assert order.index("mid") > max(order.index("a"), order.index("b"))


async def test_a_subclass_goes_where_its_base_goes(app: Application, flows: FlowProducer) -> None:
    root = await flows.add(Flow(Picture(url="a")))

    assert root.queue == "pages"


async def test_names_reach_queues_that_no_payload_leads_to(
    app: Application, flows: FlowProducer
) -> None:
    root = await flows.add(
        Flow.named("reports", "monthly", {"n": 1}, [Flow.named("rows", "row", 5, attempts=2)])
    )

    assert (root.queue, root.name, root.data) == ("reports", "monthly", {"n": 1})
    [row] = await children_of(app, root)
    assert (row.queue, row.name, row.data, row.attempts) == ("rows", "row", 5, 2)


async def test_policies_come_from_the_parent_unless_the_child_has_its_own(
    app: Application, flows: FlowProducer
) -> None:
    root = await flows.add(
        Flow(
            Digest(title="d"),
            [Flow(Page(url="a")), Flow(Page(url="b"), on_failure="remove")],
            on_child_failure="ignore",
        )
    )

    first, second = await children_of(app, root)
    assert first.options["on_child_failure"] == "ignore"
    assert second.options["on_child_failure"] == "remove"


async def test_a_tree_can_hang_on_a_job(app: Application, flows: FlowProducer) -> None:
    producer: Producer[Digest, str] = await app.producer(Digest)
    outer = await producer.add(Digest(title="outer"))

    inner = await flows.add(
        Flow(Digest(title="inner"), pages("a"), on_failure="continue"), parent=outer
    )

    assert [child.id for child in await children_of(app, outer)] == [inner.id]
    assert inner.options["on_child_failure"] == "continue"
    assert inner.parent_key == f"{app.settings.prefix}:digests:{outer.id}"


async def test_without_the_job_it_hangs_on_no_tree_is_added(
    app: Application, flows: FlowProducer
) -> None:
    with pytest.raises(ParentNotFoundError, match="names a parent that is not in Redis") as caught:
        await flows.add(Flow(Digest(title="d"), pages("a")), parent=ParentJob("gone", "digests"))

    assert caught.value.parent == f"{app.settings.prefix}:digests:gone"
    assert str(caught.value).endswith(f": {app.settings.prefix}:digests:gone")
    assert await nothing_in(app)


async def test_a_child_of_another_parent_refuses_all_trees_of_a_bulk(
    app: Application, flows: FlowProducer, store: Store, prefix: str
) -> None:
    await flows.add(Flow(Digest(title="d"), [Flow(Page(url="a"), job_id="a")], job_id="first"))
    digests = QueueKeys(prefix, "digests")

    with pytest.raises(OtherParentError) as caught:
        await flows.add_bulk(
            [
                Flow(Digest(title="e"), pages("x"), job_id="second"),
                Flow(Digest(title="f"), [Flow(Page(url="a"), job_id="a")], job_id="third"),
            ]
        )

    assert (caught.value.job_id, caught.value.queue) == ("a", "pages")
    assert await hash_of(store, digests, "second") == {}
    assert await hash_of(store, digests, "third") == {}


async def test_several_trees_are_added_together(app: Application, flows: FlowProducer) -> None:
    roots = await flows.add_bulk([Flow(Digest(title=t), pages(t)) for t in "ab"])

    assert [root.data.title for root in roots] == ["a", "b"]
    assert [len(await children_of(app, root)) for root in roots] == [1, 1]
    assert await flows.add_bulk([]) == []


@pytest.mark.parametrize(
    ("flow", "error", "text"),
    [
        (Flow(Digest(title="d"), [Flow(Unknown())]), RouteError, "no queue takes Unknown"),
        (Flow(Digest(title="d"), [Flow.named("q", "")]), OptionsError, "name"),
        (Flow(Digest(title="d"), [Flow.named("a:b", "n")]), OptionsError, "holds no ':'"),
        (Flow(Digest(title="d"), [Flow.named("q", "n", float("nan"))]), PayloadError, "NaN"),
        (Flow(Digest(title="d"), [Flow(Page(url="a"), job_id="5")]), OptionsError, "is a number"),
        (Flow(Page(url="a"), delay=timedelta(-1)), OptionsError, "delay"),
        (Flow(Page(url="a"), pages("b"), deduplication=Deduplication("k")), OptionsError, "waits"),
        (Flow(Digest(title="d"), on_failure="ignore"), OptionsError, "nobody to tell"),
    ],
)  # fmt: skip
async def test_what_one_job_may_not_refuses_the_whole_tree(
    app: Application, flows: FlowProducer, flow: Flow[Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        await flows.add(flow)

    assert await nothing_in(app)


async def test_two_jobs_of_a_tree_cannot_be_one(app: Application, flows: FlowProducer) -> None:
    tree = Flow(
        Digest(title="d"),
        [
            Flow(Page(url="a"), job_id="x"),
            Flow(Digest(title="e"), [Flow(Page(url="b"), job_id="x")], job_id="x"),
        ],
    )

    with pytest.raises(OptionsError, match="job_id") as caught:
        await flows.add(tree)

    said = "the flow.children[0] and the flow.children[1].children[0] are both job x"
    assert said in str(caught.value)
    assert await nothing_in(app)


async def test_a_root_that_is_there_already_stays_as_it_is(
    app: Application, flows: FlowProducer
) -> None:
    first = await flows.add(Flow(Digest(title="d"), job_id="x"))
    again = await flows.add(Flow(Digest(title="other"), pages("a"), job_id="x"))

    found = await app.queue("digests").job(first.id)
    assert found is not None
    assert (again.id, found.data) == ("x", {"title": "d"})
    assert await app.queue("digests").state("x") is JobState.WAITING
    assert [child.data for child in await children_of(app, first)] == [{"url": "a"}]


async def test_a_job_of_another_prefix_is_no_parent(
    app: Application, flows: FlowProducer, redis_url: str, prefix: str
) -> None:
    digests: Producer[Digest, str] = await app.producer(Digest)
    producer: Producer[Page, str] = await app.producer(Page)
    await digests.add(Digest(title="ours"), job_id="x")
    async with Application(
        declared(digest, page), settings=settings_of(redis_url, f"{prefix}-b")
    ) as other:
        elsewhere: Producer[Digest, str] = await other.producer(Digest)
        added = await elsewhere.add(Digest(title="theirs"), job_id="x")
        bulk = await elsewhere.add_bulk([Digest(title="theirs")])
        read = await other.queue("digests").job("x")
        held = await other.queue("digests").next_job("mine")
        await other.queue("digests").obliterate(force=True)
    assert held is not None

    for parent in (added, bulk[0], read, held.job):
        assert parent is not None
        with pytest.raises(OptionsError, match=f'of "{prefix}-b:digests", and jobs added here'):
            await producer.add(Page(url="a"), parent=parent)
        with pytest.raises(OptionsError, match="parent: job"):
            await flows.add(Flow(Page(url="a")), parent=parent)
    assert (await app.queue("pages").counts())[JobState.WAITING] == 0


async def test_an_error_says_which_job_of_the_tree_it_was(flows: FlowProducer) -> None:
    tree = Flow(Digest(title="d"), [*pages("a"), Flow(Digest(title="e"), [Flow(Unknown())])])

    with pytest.raises(RouteError) as caught:
        await flows.add(tree)

    assert any("the flow.children[1].children[0]" in note for note in caught.value.__notes__)


async def test_a_tree_is_as_deep_as_one_likes(app: Application, flows: FlowProducer) -> None:
    flow: Flow[Any] = Flow(Page(url="leaf"))
    for _ in range(1500):
        flow = Flow(Digest(title="d"), [flow])

    root = await flows.add(flow)

    assert (await app.queue("digests").counts())[JobState.WAITING_CHILDREN] == 1500
    assert await app.queue("digests").state(root.id) is JobState.WAITING_CHILDREN


async def test_a_tree_has_an_end(app: Application, flows: FlowProducer) -> None:
    many = pages(*("x" for _ in range(10_000)))

    with pytest.raises(OptionsError, match="at most 10,000"):
        await flows.add(Flow(Digest(title="d"), many))

    assert await nothing_in(app)


async def test_children_are_flows() -> None:
    with pytest.raises(OptionsError, match="each is a Flow"):
        Flow(Digest(title="d"), [Page(url="a")])  # type: ignore[list-item]  # what is tested


async def test_options_that_tie_a_job_are_none_of_a_flow() -> None:
    with pytest.raises(OptionsError, match="has no such option"):
        Flow(Page(url="a"), parent=ParentJob("1", "digests"))  # type: ignore[call-arg]  # what is tested


async def test_a_leaf_whose_id_is_held_is_left_out(app: Application, flows: FlowProducer) -> None:
    same = Deduplication("k")
    producer: Producer[Page, str] = await app.producer(Page)
    holder = await producer.add(Page(url="a"), deduplication=same)

    root = await flows.add(
        Flow(Digest(title="d"), [Flow(Page(url="a"), deduplication=same), *pages("b")])
    )

    assert [child.data["url"] for child in await children_of(app, root)] == ["b"]
    assert (await app.queue("pages").job(holder.id)) is not None


async def test_the_children_of_a_bulk_travel_together(app: Application) -> None:
    producer: Producer[Page, str] = await app.producer(Page)
    digests: Producer[Digest, str] = await app.producer(Digest)
    top = await digests.add(Digest(title="d"))

    jobs = await producer.add_bulk(
        (Page(url=str(n)) for n in range(1200)), parent=top, on_child_failure="ignore"
    )

    assert [job.id for job in jobs][-1] == "1200"
    assert jobs[0].parent_key == f"{app.settings.prefix}:digests:{top.id}"
    base = f"{app.settings.prefix}:digests:{top.id}:dependencies"
    assert await app.store.command("SCARD", base) == 1200


async def test_a_bulk_whose_parent_vanishes_tells_what_was_added(
    app: Application, store: Store, prefix: str
) -> None:
    producer: Producer[Page, str] = await app.producer(Page)
    keys = QueueKeys(prefix, "pages")
    await app.queue("pages").counts()
    before = await dump_of(store, keys)

    with pytest.raises(ParentNotFoundError) as caught:
        await producer.add_bulk([Page(url="a")], parent=ParentJob("gone", "digests"))

    assert caught.value.added == ()  # type: ignore[attr-defined]  # documented by add_bulk
    assert [key for key in await dump_of(store, keys) if ":meta" not in key] == list(before)


async def test_adds_at_the_same_time_get_each_their_own_error(app: Application) -> None:
    producer: Producer[Page, str] = await app.producer(Page)
    digests: Producer[Digest, str] = await app.producer(Digest)
    top = await digests.add(Digest(title="d"))
    answers: dict[int, str] = {}

    async def add(n: int) -> None:
        parent = top if n % 2 else ParentJob("gone", "digests")
        try:
            answers[n] = (await producer.add(Page(url=str(n)), parent=parent)).id
        except ParentNotFoundError:
            answers[n] = "refused"

    async with anyio.create_task_group() as tasks:
        for n in range(20):
            tasks.start_soon(add, n)

    assert [answers[n] for n in range(0, 20, 2)] == ["refused"] * 10
    assert sorted(answers[n] for n in range(1, 20, 2)) == sorted(map(str, range(1, 11)))


async def test_a_failed_child_fails_its_parent_by_default(open_app: Open) -> None:
    app = open_app(digest, page)
    async with working(app):
        flows = await app.get(FlowProducer)
        root = await flows.add(Flow(Digest(title="d"), [Flow(Page(url="bad"), attempts=1)]))
        queue = app.queue("digests")

        async def has_failed() -> bool:
            return await queue.state(root.id) is JobState.FAILED

        await until(has_failed, message="the parent has failed")
        job = await queue.job(root.id)

    assert job is not None
    assert job.failed_reason is not None
    assert re.fullmatch(rf"child {app.settings.prefix}:pages:.* failed", job.failed_reason)


@processor("bound", run_in="thread")
class Binder:
    """A handler in a thread that adds a tree below its own job."""

    def __init__(self, flows: SyncFlowProducer) -> None:
        self.flows = flows

    def process(self, job: Job[int], ctx: SyncContext) -> list[str]:
        if not ctx.dependencies_count().processed:
            self.flows.add(Flow(Digest(title="inner"), pages("a")), parent=job)
        ctx.wait_for_children()
        return list(ctx.children_values(str).values())


async def test_a_handler_in_a_thread_adds_a_tree(open_app: Open) -> None:
    async with working(app := open_app(Binder, digest, page)):
        queue = app.queue("bound")
        assert await queue.result(await queue.add("int", 1)) == ["inner"]


async def test_code_without_a_loop_adds_trees_and_looks_at_them(
    open_app: Open, app: Application
) -> None:
    def in_a_thread() -> list[str]:
        with open_app(digest, page).sync() as inside:
            flows: SyncFlowProducer = inside.get(SyncFlowProducer)
            one = flows.add(Flow(Digest(title="one"), pages("a")))
            more = flows.add_bulk([Flow(Digest(title="two"), pages("b")), Flow(Digest(title="x"))])
            tree = flows.get_flow("digests", one.id)
            assert tree is not None
            assert [child.job.data for child in tree.children] == [{"url": "a"}]
            with pytest.raises(RouteError):
                flows.add(Flow(Unknown()))
            return [job.id for job in (one, *more)]

    added = await to_thread.run_sync(in_a_thread)

    states = [await app.queue("digests").state(job_id) for job_id in added]
    assert states == [JobState.WAITING_CHILDREN, JobState.WAITING_CHILDREN, JobState.WAITING]


async def test_all_jobs_of_a_tree_are_returned_as_they_were_added(
    app: Application, flows: FlowProducer
) -> None:
    deep = Flow.named("q", "b", {"n": 2}, [Flow.named("q", "c"), Flow.named("r", "d")])
    flow = Flow.named("p", "a", 1, [deep, Flow.named("q", "e", job_id="own")])

    tree = await flows.add_tree(flow)

    assert [job.name for job in tree] == ["a", "b", "c", "d", "e"]
    assert [job.queue for job in tree] == ["p", "q", "q", "r", "q"]
    first, second = tree.children
    assert (first.job.data, second.job.id) == ({"n": 2}, "own")
    found = await flows.get_flow("p", tree.job.id)
    assert found is not None
    assert sorted(job.id for job in found) == sorted(job.id for job in tree)


async def test_several_trees_are_returned_in_order(flows: FlowProducer) -> None:
    trees = await flows.add_trees(
        [Flow.named("p", name, None, [Flow.named("q", f"{name}-child")]) for name in ("a", "b")]
    )

    assert [[job.name for job in tree] for tree in trees] == [["a", "a-child"], ["b", "b-child"]]
    assert await flows.add_trees([]) == []
