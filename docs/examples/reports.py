"""Reports: a job that waits for other jobs, whatever becomes of them."""

from collections.abc import Sequence

import anyio
from pydantic import BaseModel

from framework import (
    Application,
    Context,
    Flow,
    FlowProducer,
    Job,
    JobFailedError,
    Producer,
    UnrecoverableError,
    processor,
)


class Takings(BaseModel):
    shop: str


class Report(BaseModel):
    month: str


@processor("takings", concurrency=5)
async def count_takings(job: Job[Takings]) -> int:
    if job.data.shop == "closed":
        raise UnrecoverableError("the shop is closed")
    return 100 * len(job.data.shop)


@processor("reports")
class Reports:
    async def process(self, job: Job[Report], ctx: Context) -> str:
        takings = await ctx.children_values(int)
        missing = await ctx.ignored_children()
        return f"{job.data.month}: {sum(takings.values())}, {len(missing)} missing"


async def order(flows: FlowProducer, month: str, shops: Sequence[str]) -> Job[Report]:
    takings = [Flow(Takings(shop=shop), attempts=3) for shop in shops]
    return await flows.add(Flow(Report(month=month), takings, on_child_failure="ignore"))


async def order_exactly(flows: FlowProducer, month: str, shops: Sequence[str]) -> Job[Report]:
    takings = [Flow(Takings(shop=shop)) for shop in shops]
    return await flows.add(Flow(Report(month=month), takings))


async def look(app: Application, flows: FlowProducer, report: Job[Report]) -> None:
    counts = await app.queue("reports").dependencies_count(report.id)
    print("done:", counts.processed, "ignored:", counts.ignored)

    tree = await flows.get_flow("reports", report.id)
    if tree is not None:
        for job in sorted(tree, key=lambda job: job.name):
            print(job.name, "result:", job.result)


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        flows = await app.get(FlowProducer)
        reports = await app.get(Producer[Report, str])

        may = await order(flows, "May", ["north", "south", "closed"])
        print(await reports.result(may.id))
        await look(app, flows, may)

        june = await order_exactly(flows, "June", ["north", "closed"])
        try:
            await reports.result(june.id)
        except JobFailedError as error:
            print("no report:", error.reason.rpartition(":")[0].rpartition(":")[2])
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
