from framework import Flow, FlowProducer, Job


async def add(flows: FlowProducer, job: Job[str]) -> None:
    await flows.add(Flow("x", on_child_failure="explode"))  # error: arg-type
    await flows.add(Flow("x", parent=job))  # error: call-arg
