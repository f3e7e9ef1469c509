"""We, doing operations by hand, told in Node's words."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from framework import (
    Application,
    Cron,
    Deduplication,
    Every,
    Fixed,
    Flow,
    FlowProducer,
    JobOptions,
    ParentJob,
    Queue,
)
from framework.client.held import HeldJob
from framework.errors import FrameworkError
from tests.interop.sides import HOLDER, Tree

LOCK = timedelta(seconds=30)
POLICIES = {
    "failParentOnFailure": "fail",
    "continueParentOnFailure": "continue",
    "ignoreDependencyOnFailure": "ignore",
    "removeDependencyOnFailure": "remove",
}


def ms(number: float) -> timedelta:
    return timedelta(milliseconds=number)


def deduplication(said: Mapping[str, Any]) -> Deduplication:
    ttl = said.get("ttl")
    return Deduplication(
        id=said["id"],
        ttl=None if ttl is None else ms(ttl),
        extend=said.get("extend", False),
        replace=said.get("replace", False),
        reschedule=said.get("reschedule", False),
        keep_last_if_active=said.get("keepLastIfActive", False),
    )


WORDS: Mapping[str, Any] = {
    "jobId": lambda value: {"job_id": value},
    "delay": lambda value: {"delay": ms(value)},
    "backoff": lambda value: {"backoff": Fixed(ms(value))},
    "attempts": lambda value: {"attempts": value},
    "priority": lambda value: {"priority": value},
    "lifo": lambda value: {"lifo": value},
    "keepLogs": lambda value: {"keep_logs": value},
    "stackTraceLimit": lambda value: {"stack_trace_limit": value},
    "deduplication": lambda value: {"deduplication": deduplication(value)},
    "parent": lambda value: {"parent": ParentJob(value[1], value[0])},
    **{
        flag: lambda value, policy=policy: {"on_child_failure": policy}
        for flag, policy in POLICIES.items()
    },
}


def in_our_words(options: Mapping[str, Any]) -> JobOptions:
    """Word Node's options as ours, and keep all jobs, as Node does."""
    said: dict[str, Any] = {"remove_on_complete": False, "remove_on_fail": False}
    for name, value in options.items():
        said |= WORDS[name](value)
    return JobOptions(**said)  # type: ignore[no-any-return,typeddict-item]  # put together above


def retry(queue: Queue, job_id: str, _: str, reset: Tree | None = None) -> Awaitable[None]:
    is_reset = bool(reset)
    return queue.retry_job(job_id, reset_attempts_made=is_reset, reset_attempts_started=is_reset)


def clean(queue: Queue, grace: int, limit: int, kind: str) -> Awaitable[object]:
    return queue.clean(ms(grace), limit, {"wait": "waiting"}.get(kind, kind))


TO_JOBS: Mapping[str, Callable[..., Awaitable[object]]] = {
    "updateData": Queue.update_data,
    "updateProgress": Queue.update_progress,
    "log": Queue.add_log,
    "clearLogs": lambda queue, job_id, keep: queue.clear_logs(job_id, keep=keep),
    "changeDelay": lambda queue, job_id, delay: queue.change_delay(job_id, ms(delay)),
    "changePriority": lambda queue, job_id, to: queue.change_priority(job_id, **to),
    "promote": Queue.promote_job,
    "retry": retry,
    "remove": lambda queue, job_id, *how: queue.remove(job_id, with_children=not how),
    "removeChildDependency": Queue.remove_child_dependency,
    "removeUnprocessedChildren": Queue.remove_unprocessed_children,
}
TO_QUEUES: Mapping[str, Callable[..., Awaitable[object]]] = {
    "pause": Queue.pause,
    "resume": Queue.resume,
    "retryJobs": lambda queue, of: queue.retry_jobs(of["state"]),
    "promoteJobs": Queue.promote_jobs,
    "drain": Queue.drain,
    "clean": clean,
    "obliterate": lambda queue, how: queue.obliterate(how["force"]),
    "setGlobalConcurrency": Queue.set_global_concurrency,
    "removeGlobalConcurrency": Queue.remove_global_concurrency,
    "setGlobalRateLimit": lambda queue, most, span: queue.set_global_rate_limit(most, ms(span)),
    "removeGlobalRateLimit": Queue.remove_global_rate_limit,
    "rateLimit": lambda queue, span: queue.rate_limit(ms(span)),
    "removeRateLimitKey": Queue.remove_rate_limit_key,
    "removeDeduplicationKey": Queue.remove_deduplication_key,
    "removeJobScheduler": Queue.remove_job_scheduler,
    "trimEvents": Queue.trim_events,
}


class OurHand:
    """We alone."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def add(self, queue: str, name: str, data: object = None, **options: Any) -> str:  # noqa: ANN401 - Node's words
        return (await self._app.queue(queue).add(name, data, **in_our_words(options))).id

    async def add_bulk(self, queue: str, names: Sequence[str]) -> None:
        jobs = [(name, name, in_our_words({})) for name in names]
        await self._app.queue(queue).add_bulk(jobs)

    async def add_flow(self, tree: Tree) -> None:
        flows = await self._app.get(FlowProducer)
        await flows.add(self._flow(tree))

    def _flow(self, tree: Tree) -> Flow[Any]:
        options: dict[str, Any] = dict(in_our_words(tree.get("opts", {})))
        # Without a word Node lets a failed child hold its parent for ever; we have no such word.
        policy = options.pop("on_child_failure", None)
        children = [self._flow(child) for child in tree.get("children", ())]
        data, name = tree.get("data"), tree["name"]
        return Flow.named(tree["queueName"], name, data, children, on_failure=policy, **options)

    async def upsert(self, queue: str, scheduler: str, repeat: Tree, name: str) -> None:
        when = (
            Every(ms(repeat["every"]))
            if "every" in repeat
            else Cron(repeat["pattern"], tz=repeat.get("tz", "UTC"))
        )
        await self._app.queue(queue).upsert_job_scheduler(
            scheduler, when, name, {"by": scheduler}, limit=repeat.get("limit"), attempts=2
        )

    async def take(self, queue: str) -> str | None:
        held = await self._app.queue(queue).next_job(HOLDER, lock_duration=LOCK)
        return held.id if held else None

    async def held(self, queue: str, job_id: str, what: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        held: HeldJob = await self._app.queue(queue).held_job(job_id, HOLDER)
        match what, args:
            case "complete", (value,):
                await held.complete(value)
            case "fail", (message, is_final):
                await held.fail(message, unrecoverable=is_final)
            case "delay", (delay_ms,):
                await held.delay_for(ms(delay_ms))
            case "wait for children", ():
                return await held.wait_for_children()
            case "move to wait", ():
                await held.move_to_wait()
            case "extend", ():
                await held.extend_lock(LOCK)
            case _:
                raise ValueError(what)
        return None

    async def refused(self, queue: str, job_id: str, what: str, *args: Any) -> bool:  # noqa: ANN401 - JSON
        try:
            await self.held(queue, job_id, what, *args)
        except FrameworkError:
            return True
        return False

    async def job(self, queue: str, job_id: str, what: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        return await TO_JOBS[what](self._app.queue(queue), job_id, *args)

    async def queue(self, queue: str, what: str, *args: Any) -> Any:  # noqa: ANN401 - JSON
        return await TO_QUEUES[what](self._app.queue(queue), *args)
