"""Prints the public names of PyPI's ``bullmq`` as JSON. Run in the environment that has it.

``{"version": ..., "names": [...], "types": {"JobOptions": ["attempts", ...]}, "members": {"Queue":
{"add": [...]}}}``: of each class its methods, with ``[name, kind, has a default, default]`` of each
parameter, and its attributes, with None.
"""

import asyncio
import inspect
import json
import sys
from typing import Any

NOWHERE = "redis://127.0.0.1:1"
PLAIN = (str, int, float, bool, type(None))


def parameters(function: Any) -> list[list[object]]:  # noqa: ANN401 - any function
    found = list(inspect.signature(function).parameters.values())
    if found and found[0].name == "self":
        found = found[1:]
    return [
        [
            one.name,
            one.kind.name,
            one.default is not inspect.Parameter.empty,
            one.default if isinstance(one.default, PLAIN) else "...",
        ]
        for one in found
    ]


def members(instance: object) -> dict[str, list[list[object]] | None]:
    kind = type(instance)
    found: dict[str, list[list[object]] | None] = {"__init__": parameters(kind.__init__)}
    for name in sorted({*dir(kind), *vars(instance)}):
        if name.startswith("_") or hasattr(Exception, name):
            continue
        member = inspect.getattr_static(kind, name, None)
        function = getattr(member, "__func__", member)
        found[name] = parameters(function) if inspect.isfunction(function) else None
    return found


async def main() -> None:
    import bullmq  # noqa: PLC0415 - only this environment has it
    import bullmq.types  # noqa: PLC0415 - as above

    async def process(job: object, token: str) -> None: ...

    options = {"connection": NOWHERE}
    queue = bullmq.Queue("q", options)
    events = bullmq.QueueEvents("q", {**options, "autorun": False})
    instances = [
        queue,
        bullmq.Job(queue, "n", {}),
        bullmq.Worker("q", process, {**options, "autorun": False}),
        bullmq.FlowProducer(NOWHERE),
        events,
        bullmq.QueueEventsProducer("q", options),
        bullmq.JobScheduler(queue),
        bullmq.AbortController(),
        bullmq.AbortController().signal,
        bullmq.AbortError(),
        bullmq.DelayedError(),
        bullmq.UnrecoverableError(),
        bullmq.WaitingChildrenError(),
    ]
    told = {
        "version": bullmq.__version__,
        "names": sorted(name for name in dir(bullmq) if not name.startswith("_")),
        "types": {
            name: sorted(getattr(getattr(bullmq.types, name), "__annotations__", {}))
            for name in dir(bullmq.types)
            if name[0].isupper()
        },
        "members": {type(one).__name__: members(one) for one in instances},
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main())
