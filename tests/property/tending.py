"""People look after jobs and queues."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from framework import Queue
from tests.property.base import Base
from tests.property.world import nths, queues

Act = Callable[..., Awaitable[object]]
Told = tuple[Act, tuple[Any, ...], dict[str, Any]]

# Long beside what a test takes: it must pass for the machine alone, not for the server.
TEN_SECONDS = timedelta(seconds=10)


def does(act: Act, *args: Any, **options: Any) -> Told:  # noqa: ANN401 - as `act` takes
    """Word something to do with a queue."""
    return act, args, options


to_jobs = st.sampled_from(
    [
        does(Queue.retry_job),
        does(Queue.retry_job, reset_attempts_made=True, reset_attempts_started=True),
        does(Queue.promote_job),
        does(Queue.change_delay, timedelta(0)),
        does(Queue.change_delay, TEN_SECONDS * 6),
        does(Queue.change_priority, 0),
        does(Queue.change_priority, 9),
        does(Queue.change_priority, 1, lifo=True),
        does(Queue.update_data, {"new": 1}),
        does(Queue.update_progress, 50),
        does(Queue.add_log, "row", keep=2),
        does(Queue.remove, with_children=True),
        does(Queue.remove, with_children=False),
        does(Queue.cancel, "enough"),
        does(Queue.pause_job),
        does(Queue.resume_job),
        does(Queue.remove_child_dependency),
        does(Queue.remove_unprocessed_children),
    ]
)
to_queues = st.sampled_from(
    [
        does(Queue.pause),
        does(Queue.resume),
        does(Queue.retry_jobs, "failed"),
        does(Queue.retry_jobs, "completed"),
        does(Queue.promote_jobs),
        does(Queue.audit_flows),
        does(Queue.remove_deduplication_key, "k"),
        does(Queue.set_global_concurrency, 1),
        does(Queue.set_global_concurrency, 3),
        does(Queue.remove_global_concurrency),
        does(Queue.set_global_rate_limit, 2, TEN_SECONDS),
        does(Queue.remove_global_rate_limit),
        does(Queue.rate_limit, TEN_SECONDS),
        does(Queue.remove_rate_limit_key),
    ]
)
to_all_jobs = st.sampled_from(
    [
        does(Queue.drain),
        does(Queue.drain, delayed=True),
        *(
            does(Queue.clean, timedelta(0), limit, state)
            for limit in (0, 1)
            for state in ("completed", "failed", "waiting", "active", "delayed", "prioritized")
        ),
        does(Queue.remove_orphaned_jobs),
        does(Queue.obliterate, force=True),
        does(Queue.obliterate, force=False),
    ]
)


class Tending(Base):
    """What people do."""

    @initialize(queue=queues, mode=st.sampled_from(["", "v5"]))
    def choose_how_to_pause(self, queue: str, mode: str) -> None:
        if mode:
            meta = self.keys(queue)["meta"]
            self.world.run(self.world.app.store.command, "HSET", meta, "x-fw.pause", mode)

    @precondition(lambda self: any(view.jobs for view in self.views.values()))
    @rule(nth=nths, told=to_jobs)
    def tend_a_job(self, nth: int, told: Told) -> None:
        queue, job_id = self.some_job(nth)
        act, args, options = told
        self.people(act, self.queue(queue), job_id, *args, **options)
        self.leave_room()

    @precondition(lambda self: any(view.jobs for view in self.views.values()))
    @rule(nth=nths, act=st.sampled_from([Queue.retry_job, Queue.promote_job, Queue.resume_job]))
    def bring_back(self, nth: int, act: Act) -> None:
        queue, job_id = self.some_job(nth)
        self.people(act, self.queue(queue), job_id)

    @rule(queue=queues, told=to_queues)
    def tend_a_queue(self, queue: str, told: Told) -> None:
        act, args, options = told
        self.people(act, self.queue(queue), *args, **options)
        if act in {Queue.set_global_concurrency, Queue.remove_global_concurrency}:
            # Idle workers look for themselves, every five seconds.
            self.known.awaited.add(queue)

    @precondition(lambda self: any(len(view.jobs) > 2 for view in self.views.values()))
    @rule(queue=queues, told=to_all_jobs)
    def clear_up(self, queue: str, told: Told) -> None:
        act, args, options = told
        self.people(act, self.queue(queue), *args, **options)
        self.leave_room()

    def leave_room(self) -> None:
        """Of room that a removed job leaves below a global concurrency nobody is told either."""
        capped = {queue for queue, view in self.views.items() if "concurrency" in view.meta}
        self.known.awaited |= capped
