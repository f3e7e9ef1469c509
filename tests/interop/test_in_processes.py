"""Jobs that run in child processes of ours, as Node sees them; timeouts beside Node."""

from datetime import timedelta
from pathlib import Path

import pytest

from framework import Application
from tests.support.apps import declared, settings_of, working
from tests.support.crunch import Crunch, Echoes, notebook
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import fails
from tests.support.ours import Ours, job_hash
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]


@pytest.fixture
def app(ours: Ours) -> Application:
    found = declared(Crunch, Echoes, providers=(notebook,))
    return Application(found, settings=settings_of(ours.redis_url, ours.prefix))


async def test_node_sees_what_a_process_of_ours_makes_of_its_job(
    app: Application, node: NodePeer
) -> None:
    recording = await node.record_events("crunch")

    async with working(app):
        job_id = await node.add("crunch", "order", {"act": "work_out"})
        result = await node.wait_result("crunch", job_id, timeout=10)
        crashed = await node.add("crunch", "order", {"act": "be_killed"})
        with pytest.raises(NodeError, match="the process that ran the job was ended by SIGKILL"):
            await node.wait_result("crunch", crashed, timeout=10)

    assert result == ["saved", 1, job_id, app.settings.prefix]
    assert await node.logs("crunch", job_id) == ["half way"]
    assert [one.fields["data"] for one in await recording.events("progress")] == [
        {"percentage": 50}
    ]


async def test_a_timeout_of_ours_outlives_nodes_hands(
    app: Application, node: NodePeer, tmp_path: Path
) -> None:
    data = {"act": "wait", "path": str(tmp_path / "began"), "seconds": 60}
    async with app:
        job = await app.queue("crunch").add("order", data, timeout=timedelta(milliseconds=100))
        worker = await node.work("crunch", fails(message="no luck"))

        async def has_failed() -> bool:
            return await node.state("crunch", job.id) == "failed"

        await until(has_failed, message="Node failed it")
        await worker.close()
        await node.job_call("crunch", job.id, "retry", "failed")
        kept = (await job_hash(app, job.id, "crunch"))["opts"]

    async with working(app):
        with pytest.raises(NodeError, match="longer than its timeout of"):
            await node.wait_result("crunch", job.id, timeout=10)

    assert '"fw.timeout":100' in kept
