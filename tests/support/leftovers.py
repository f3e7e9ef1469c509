"""Keys that are there, though nothing that is kept needs them."""

from collections.abc import Sequence

from framework import JobState
from framework.app.application import Application
from tests.support.apps import UNFINISHED

# What a queue has as long as it is there, whatever becomes of its jobs.
OF_QUEUES = frozenset(
    {"id", "meta", "events", "completed", "failed", "marker", "pc", "stalled", "stalled-check"}
)
OF_METRICS = ("meta:", "metrics:")


async def left_over(app: Application, prefix: str, queues: Sequence[str]) -> list[str]:
    """List them, of queues in which nothing is to do but the next runs of schedules."""
    found: list[str] = []
    for queue in queues:
        base = f"{prefix}:{queue}:"
        states = (*UNFINISHED, JobState.COMPLETED, JobState.FAILED)
        jobs = [job.id for state in states for job in await app.queue(queue).jobs(state, 0, -1)]
        schedules = [one.id for one in await app.queue(queue).job_schedulers()]
        known = {*OF_QUEUES, *jobs, *(f"repeat:{one}" for one in schedules)}
        if schedules:
            known |= {"repeat", "delayed"}
        for raw in await app.store.command("KEYS", f"{base}*"):
            name = raw.decode().removeprefix(base)
            is_jobs = name.rpartition(":")[0] in jobs
            if not (is_jobs or name in known or name.startswith(OF_METRICS)):
                found.append(f"{queue}:{name}")
    return found
