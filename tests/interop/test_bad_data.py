"""What a producer on Node may get wrong: it fails that job with the reason, and nothing else."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel

from framework import Context, Job, JobState, handles, processor
from framework.store.store import Store
from tests.support.node import NodePeer, both_majors
from tests.support.ours import Ours, Runs, does
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]


class Greet(BaseModel):
    name: str
    times: int = 1


class Greeter:
    """A processor of a typed payload; it notes what it ran."""

    runs: Runs

    async def process(self, job: Job[Greet]) -> str:
        self.runs.note(job.id)
        return job.data.name * job.data.times


@asynccontextmanager
async def greeting(ours: Ours) -> AsyncIterator[Runs]:
    """Run a worker of a typed payload on the queue ``q``."""
    noted = Runs()

    class Fresh(Greeter):
        runs = noted

    async with ours.working(processor("q")(Fresh)):
        yield noted


async def finished(node: NodePeer, store: Store, job_id: str) -> dict[str, str]:
    """Wait until a job has finished; read its hash, which Node may not be able to."""

    async def has() -> bool:
        return await node.state("q", job_id) in {"completed", "failed"}

    await until(has, message=f"job {job_id} has finished")
    found = await store.command("HGETALL", f"{node.prefix}:q:{job_id}")
    return {name.decode(): value.decode(errors="replace") for name, value in found.items()}


async def spoil(store: Store, node: NodePeer, job_id: str, field: str, value: bytes) -> None:
    await store.command("HSET", f"{node.prefix}:q:{job_id}", field, value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"name": 5}, "name: Input should be a valid string"),
        ({"times": 2}, "name: Field required"),
        ({"name": "Ada", "times": "many"}, "times: Input should be a valid integer"),
        ("text", "Greet"),
        (None, "Greet"),
        ([], "Greet"),
    ],
    ids=str,
)
async def test_a_payload_that_does_not_fit_fails_that_job_alone(
    ours: Ours, node: NodePeer, store: Store, data: object, reason: str
) -> None:
    async with greeting(ours) as runs:
        bad = await node.add("q", "greet", data, attempts=5)
        good = await node.add("q", "greet", {"name": "Ada"})

        assert await node.wait_result("q", good) == "Ada"
        job = await finished(node, store, bad)

    assert runs.ids == [good]
    assert reason in job["failedReason"]
    assert (job["ats"], job["atm"]) == ("1", "1")
    assert len(json.loads(job["stacktrace"])) == 1
    assert await node.state("q", bad) == "failed"


@pytest.mark.parametrize("data", [b"", b"{nope", b"'single'", b"NaN", b"\xff\xfe", b"1 2"], ids=str)
async def test_data_that_is_no_json_fails_that_job_alone(
    ours: Ours, node: NodePeer, store: Store, data: bytes
) -> None:
    bad = await node.add("q", "greet", {"name": "Bob"}, attempts=5)
    good = await node.add("q", "greet", {"name": "Ada"})
    await spoil(store, node, bad, "data", data)

    async with greeting(ours) as runs:
        assert await node.wait_result("q", good) == "Ada"
        job = await finished(node, store, bad)

    assert runs.ids == [good]
    assert f"the data of job {bad} cannot be used" in job["failedReason"]
    assert (job["ats"], job["atm"]) == ("1", "1")


@pytest.mark.parametrize("opts", [b"", b"{nope", b"[]", b"null", b"\xff"], ids=str)
async def test_options_that_are_no_json_object_never_stop_the_queue(
    ours: Ours, node: NodePeer, store: Store, opts: bytes
) -> None:
    bad = await node.add("q", "greet", {"name": "Bob"})
    good = await node.add("q", "greet", {"name": "Ada"})
    await spoil(store, node, bad, "opts", opts)

    async with greeting(ours):
        assert await node.wait_result("q", good) == "Ada"
        job = await finished(node, store, bad)

    if opts:
        assert f"the options of job {bad} cannot be read" in job["failedReason"]
    else:
        assert job["returnvalue"] == '"Bob"'


@pytest.mark.parametrize(
    "opts",
    [
        {"attempts": "many", "backoff": "later", "removeOnComplete": "yes", "kl": None},
        {"attempts": None, "backoff": {"type": 5}, "removeOnFail": {"count": "x", "age": None}},
        {"attempts": 1.5, "stackTraceLimit": -1, "lifo": "no", "unknown": {"deep": [1]}},
        {"attempts": 1e300, "backoff": -5, "removeOnComplete": -3},
    ],
    ids=["texts", "nulls", "odd", "far"],
)
async def test_odd_options_count_as_not_given(
    ours: Ours, node: NodePeer, store: Store, opts: dict[str, Any]
) -> None:
    job_id = await node.add("q", "greet", {"name": "Bob"})
    await spoil(store, node, job_id, "opts", json.dumps(opts).encode())

    async with greeting(ours):
        job = await finished(node, store, job_id)

    assert job["returnvalue"] == '"Bob"'


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", b"\xff\xfe"),
        ("timestamp", b"soon"),
        ("priority", b"high"),
        ("delay", b""),
        ("ats", b"x"),
        ("atm", b"x"),
        ("progress", b"{nope"),
        ("stacktrace", b"{nope"),
        ("parent", b"{nope"),
    ],
)
async def test_other_odd_fields_never_stop_the_queue(
    ours: Ours, node: NodePeer, store: Store, field: str, value: bytes
) -> None:
    odd = await node.add("q", "greet", {"name": "Bob"})
    good = await node.add("q", "greet", {"name": "Ada"})
    await spoil(store, node, odd, field, value)

    async with greeting(ours):
        assert await node.wait_result("q", good) == "Ada"
        job = await finished(node, store, odd)

    assert job["returnvalue"] == '"Bob"'


async def test_an_id_in_line_without_a_job_is_dropped(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    ghost, good = (
        await node.add("q", "greet", {"name": "x"}),
        await node.add("q", "n", {"name": "A"}),
    )
    await store.command("DEL", f"{node.prefix}:q:{ghost}")

    async with greeting(ours) as runs:
        assert await node.wait_result("q", good) == "A"

    assert runs.ids == [good]
    assert await node.state("q", ghost) == "unknown"
    assert await store.command("EXISTS", f"{node.prefix}:q:{ghost}") == 0


async def test_a_name_without_a_handler_fails_with_the_names_there_are(
    ours: Ours, node: NodePeer, store: Store
) -> None:
    @processor("q")
    class Mail:
        @handles("greet")
        async def greet(self, job: Job[Greet]) -> str:
            return job.data.name

        @handles("part")
        async def part(self, job: Job[Greet]) -> None: ...

    async with ours.working(Mail):
        unknown = await node.add("q", "gret", {"name": "Ada"}, attempts=3)
        known = await node.add("q", "greet", {"name": "Ada"})

        assert await node.wait_result("q", known) == "Ada"
        job = await finished(node, store, unknown)

    assert job["failedReason"] == (
        'no handler for jobs named "gret"; the processor knows "greet", "part"'
    )
    assert job["ats"] == "1"


@pytest.mark.parametrize(
    "result", [float("nan"), object(), "\ud800"], ids=["nan", "object", "half"]
)
async def test_a_result_that_is_no_json_fails_the_job_and_no_listener_of_node(
    ours: Ours, node: NodePeer, store: Store, result: object
) -> None:
    recording = await node.record_events("q")

    async def run(job: Job[Any], _: Context) -> object:
        return result if job.name == "bad" else "good"

    async with ours.working(does(run)) as app:
        bad, good = await node.add("q", "bad", attempts=5), await node.add("q", "n")

        assert await node.wait_result("q", good) == "good"
        job = await finished(node, store, bad)
        assert (await app.queue("q").counts())[JobState.FAILED] == 1

    assert "the result cannot be written" in job["failedReason"]
    assert job["ats"] == "1"
    assert await recording.events("error") == []
    assert await node.troubles() == []
