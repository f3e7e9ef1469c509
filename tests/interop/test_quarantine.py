"""Jobs that ended our processes, as Node sees them, and where it goes on with them."""

import pytest

from framework import Application, JobState
from tests.support.apps import declared, settings_of, working
from tests.support.node import NodeError, NodePeer, both_majors
from tests.support.node_work import ECHO
from tests.support.ours import Ours, job_hash
from tests.support.suspicious import Deeds
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]


@pytest.fixture
def app(ours: Ours) -> Application:
    return Application(declared(Deeds), settings=settings_of(ours.redis_url, ours.prefix))


async def quarantined(app: Application, node: NodePeer) -> str:
    """Let a job of Node's, which two workers died with, end a process of ours."""
    queue = app.queue("deeds")
    await queue.pause()
    job_id = await node.add("deeds", "deed", {"act": "exit"})
    await app.store.command("HSET", f"{app.settings.prefix}:deeds:{job_id}", "fw.crashes", 2)
    await queue.resume()
    with pytest.raises(NodeError, match="quarantined: killed its process 3 times"):
        await node.wait_result("deeds", job_id, timeout=20)
    return job_id


async def test_node_sees_a_quarantined_job_as_failed_and_retries_it(
    app: Application, node: NodePeer
) -> None:
    recording = await node.record_events("deeds")
    async with working(app):
        job_id = await quarantined(app, node)
    (row,) = await node.logs("deeds", job_id)
    (failed,) = await recording.events("failed")
    read = await node.job("deeds", job_id)

    await node.job_call("deeds", job_id, "retry", "failed")
    await node.work("deeds", ECHO)

    assert await node.wait_result("deeds", job_id) == {"act": "exit"}
    assert row.startswith("crash 3, alone in a process of its own: ")
    assert read is not None
    assert failed.fields["failedReason"] == read["failedReason"]
    assert "last: exit code 3" in read["failedReason"]


async def test_node_runs_what_we_rescue(app: Application, node: NodePeer) -> None:
    async with working(app):
        job_id = await quarantined(app, node)

    async with app:
        await app.queue("deeds").rescue_job(job_id, isolate=True)
        fields = await job_hash(app, job_id, "deeds")
        await node.work("deeds", ECHO)

        async def is_done() -> bool:
            return await app.queue("deeds").state(job_id) is JobState.COMPLETED

        await until(is_done, message="Node did it")

    assert (fields["fw.crashes"], "fw.quarantined" in fields) == ("3", False)
