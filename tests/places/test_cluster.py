"""A cluster: what it cannot do is refused, and what it can goes on while it changes."""

from datetime import timedelta

import pytest
from anyio import to_thread

from framework import Flow, FlowProducer, Job, processor
from framework.app.application import Application
from framework.errors import RedisRefusedError, SlotError
from framework.model.job import JobState
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.wire.slots import slot_of
from tests.places.load import Load
from tests.support.apps import declared, settings_of, working
from tests.support.builders import add, new_job, trade
from tests.support.clusters import Cluster
from tests.support.servers import Server
from tests.support.until import until

MAIL, POST = "{mail}", "{post}"


@processor("mail")
async def untagged(job: Job[str]) -> None:
    """Work on a queue whose keys would spread."""


@processor(MAIL)
async def mail(job: Job[str]) -> None:
    """Work on a queue of a tag of its own."""


@processor(POST)
async def post(job: Job[int]) -> None:
    """Work on a queue of another tag."""


def test_a_queue_without_a_tag_is_refused_before_redis_is_touched() -> None:
    settings = settings_of("redis+cluster://nowhere.invalid", "bull")

    with pytest.raises(SlotError, match=r'FRAMEWORK_PREFIX="\{bull\}".*"\{mail\}"'):
        Application(declared(untagged), settings=settings)


async def test_a_flow_over_two_slots_is_refused_and_leaves_nothing(
    a_cluster: Cluster, prefix: str
) -> None:
    settings = settings_of(a_cluster.url, prefix)
    async with Application(declared(mail, post), settings=settings) as app:
        flows = await app.get(FlowProducer)

        with pytest.raises(SlotError, match=r"\{mail\}, .*\{post\} are in several slots"):
            await flows.add(Flow("parent", [Flow(1)]))

        assert sum((await app.queue(MAIL).counts()).values()) == 0
        assert sum((await app.queue(POST).counts()).values()) == 0


async def test_a_flow_over_queues_of_one_tag_is_added(a_cluster: Cluster, prefix: str) -> None:
    settings = settings_of(a_cluster.url, f"{{{prefix}}}")
    async with Application(declared(mail, post), settings=settings) as app:
        flows = await app.get(FlowProducer)

        parent = await flows.add(Flow("parent", [Flow(1)]))

        assert await app.queue(MAIL).state(parent.id) is JobState.WAITING_CHILDREN
        assert (await app.queue(POST).counts())[JobState.WAITING] == 1


async def test_a_node_of_a_cluster_is_not_taken_for_one_server(a_cluster: Cluster) -> None:
    server = a_cluster.master_of(slot_of("mine"))
    other = next(one for one in a_cluster.nodes if one is not server)

    async with Store(other.url) as store:
        with pytest.raises(RedisRefusedError, match=r"node of a cluster.*redis\+cluster://"):
            await store.command("GET", "mine")


async def test_one_server_is_not_taken_for_a_cluster(redis_70: Server) -> None:
    async with Store(redis_70.url.replace("redis:", "redis+cluster:")) as store:
        with pytest.raises(RedisRefusedError, match="no cluster: write redis://"):
            await store.check()


async def test_a_slot_that_moves_is_followed_call_by_call(a_cluster: Cluster, prefix: str) -> None:
    keys = QueueKeys(prefix, MAIL)
    slot = slot_of(keys.base)
    source = a_cluster.master_of(slot)
    target = next(one for one in a_cluster.nodes[:3] if one is not source)
    names = {one: one.ask("CLUSTER", "MYID") for one in (source, target)}
    async with Store(a_cluster.url) as store:
        await add(store, keys, new_job())

        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[source])
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[target])
        # New keys are made on the target, at the source's word (ASK).
        await store.command("SET", f"{prefix}:{MAIL}:mine", "x")
        assert target.ask("CLUSTER", "COUNTKEYSINSLOT", slot) == 1

        moving = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100)
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *moving)
        for one in (target, source):
            one.ask("CLUSTER", "SETSLOT", slot, "NODE", names[target])
        taken = await trade(store, keys, want=5)

    assert len(taken.jobs) == 1


async def test_an_idle_worker_follows_its_slot(a_cluster: Cluster, prefix: str) -> None:
    app = Application(declared(post), settings=settings_of(a_cluster.url, prefix))
    slot = slot_of(POST)
    source = a_cluster.master_of(slot)
    target = next(one for one in a_cluster.nodes[:3] if one is not source)
    names = {one: one.ask("CLUSTER", "MYID") for one in (source, target)}
    async with working(app):
        await until(lambda: waiting_reads(a_cluster) == 2, message="it waits")

        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[source])
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[target])
        while moving := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *moving)
        for one in (target, source):
            one.ask("CLUSTER", "SETSLOT", slot, "NODE", names[target])

        await until(lambda: waiting_reads(target) == 2, message="it waits at the other node")
        job = await app.queue(POST).add("int", 1)
        await app.queue(POST).result(job, timeout=timedelta(seconds=1))


async def test_a_master_that_dies_in_mid_load_loses_nothing(
    dying_cluster: Cluster, prefix: str
) -> None:
    load = Load((MAIL, POST))
    doomed = dying_cluster.master_of(slot_of(MAIL))

    await load.go(
        load.application(dying_cluster.url, prefix),
        half_way=lambda: to_thread.run_sync(doomed.kill),
    )

    assert len(set(load.added)) == load.jobs * load.producers
    assert set(load.runs) == set(load.added)
    assert set(load.runs.values()) == {1}


@pytest.mark.parametrize(
    ("tagged", "reads"), [("{%s}", 1), ("%s", 2)], ids=["one slot", "two slots"]
)
async def test_a_process_waits_once_for_each_slot(
    a_cluster: Cluster, prefix: str, tagged: str, reads: int
) -> None:
    """Twice: for jobs, and for what is asked of those that run."""
    app = Application(declared(mail, post), settings=settings_of(a_cluster.url, tagged % prefix))
    async with working(app):
        await until(lambda: waiting_reads(a_cluster) == 2 * reads, message="it waits")
        for n in range(5):  # each time, another queue falls idle while the read goes on
            for queue, name in ((MAIL, "str"), (POST, "int")):
                job = await app.queue(queue).add(name, n if queue == POST else "x")
                await app.queue(queue).result(job, timeout=timedelta(seconds=1))
        await until(lambda: waiting_reads(a_cluster) == 2 * reads, message="it waits again")


def waiting_reads(where: Cluster | Server) -> int:
    """Count the connections that wait for a marker or a call."""
    nodes = where.nodes if isinstance(where, Cluster) else [where]
    lines = "".join(node.ask("CLIENT", "LIST") for node in nodes).splitlines()
    return sum("cmd=bzpopmin" in line for line in lines)
