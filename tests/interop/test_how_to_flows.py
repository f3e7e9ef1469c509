"""The programs of the how-to pages on flows and deduplication, with Node on one side."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from framework import FlowProducer, JobState, Producer, route
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import CHILDREN_VALUES, by_name, fails, returns
from tests.support.ours import Ours
from tests.support.until import until

pytestmark = [pytest.mark.interop, both_majors]

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    """Import an example."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


reports: Any = example("reports")
search: Any = example("search")


async def test_our_report_waits_for_takings_that_node_counts(ours: Ours, node: NodePeer) -> None:
    await node.work("takings", returns(250), concurrency=5)
    elsewhere = (route("takings", reports.Takings),)

    async with ours.working(reports.Reports, routes=elsewhere) as app:
        flows = await app.get(FlowProducer)
        report = await reports.order(flows, "May", ["north", "south"])

        assert await app.queue("reports").result(report.id) == "May: 500, 0 missing"


async def test_our_report_misses_what_node_could_not_count(ours: Ours, node: NodePeer) -> None:
    await node.work("takings", by_name(fails(message="no luck", unrecoverable=True)))
    elsewhere = (route("takings", reports.Takings),)

    async with ours.working(reports.Reports, routes=elsewhere) as app:
        flows = await app.get(FlowProducer)
        may = await reports.order(flows, "May", ["north"])
        june = await reports.order_exactly(flows, "June", ["north"])
        queue = app.queue("reports")

        assert await queue.result(may.id) == "May: 0, 1 missing"

        async def has_failed() -> bool:
            return await queue.state(june.id) is JobState.FAILED

        await until(has_failed, message="the report of June has failed")


async def test_nodes_report_waits_for_takings_that_we_count(ours: Ours, node: NodePeer) -> None:
    await node.work("reports", CHILDREN_VALUES)
    elsewhere = (route("reports", reports.Report),)

    async with ours.working(reports.count_takings, routes=elsewhere) as app:
        flows = await app.get(FlowProducer)
        report = await reports.order(flows, "May", ["north", "closed"])

        said = await node.wait_result("reports", report.id)

    assert list(said["processed"].values()) == [500]
    assert list(said["ignored"].values()) == ["the shop is closed"]


async def test_bursts_and_throttles_hold_while_node_works(
    ours: Ours, node: NodePeer, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = await node.work("search", returns("indexed"))

    async with ours.producing(route("search", search.Reindex)) as app:
        asking = await app.get(Producer[search.Reindex, str])
        await search.ask_twice(asking)
        await search.ask_too_often(asking)
        await search.ask_in_a_burst(asking)

    assert capsys.readouterr().out.splitlines() == [
        "asked twice, one job: True",
        "not again within the hour: True",
        "the last of a burst: indexed",
    ]
    assert len(await worker.runs()) == 3
