"""A task that Node adds and Node works is followed as any other."""

import pytest

from tests.plugins.web.serving import resize, serving
from tests.plugins.web.test_following import following, told
from tests.support.apps import Open
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import HANG, logs
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]


async def test_progress_and_result_of_a_task_of_node(
    open_app: Open, node: NodePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        task_id = await node.add("pictures", "resize", {"width": 5})
        async with following(web, f"/tasks/resize/{task_id}/events") as found:
            await until(lambda: len(found), message="it is followed")
            worker = await node.work("pictures", HANG)
            active = {"state": "active", "error": None, "attempts_made": 0, "due_at": None}
            await until(lambda: active in [one.data for one in found], message="it runs")
            for progress in (10, {"percentage": 50}):
                await node.job_call("pictures", task_id, "updateProgress", progress)
            await worker.release(task_id, value="made")
            await until(lambda: found[-1].name == "completed", message="it has ended")

    assert found[0].data["state"] == "waiting"
    assert told(found) == [
        ("progress", 10),
        ("progress", {"percentage": 50}),
        ("completed", {"result": "made"}),
    ]


async def test_rows_that_node_logs(
    open_app: Open, node: NodePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        task_id = await node.add("pictures", "resize", {"width": 5})
        async with following(web, f"/tasks/resize/{task_id}/events") as found:
            await until(lambda: len(found), message="it is followed")
            await node.work("pictures", logs("one", "two", value=3))
            await until(lambda: found[-1].name == "completed", message="it has ended")

    assert told(found) == [
        ("log", {"row": "one"}),
        ("log", {"row": "two"}),
        ("completed", {"result": 3}),
    ]
