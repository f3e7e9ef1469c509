"""Simulated workers take jobs, run them and end them, or vanish."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from framework import KeepJobs
from framework.store.transitions import ending as moves
from framework.store.transitions.ending import Ending
from framework.store.transitions.exchange import Exchanged, Fetched, Taker, exchange
from framework.store.transitions.running import extend_locks
from framework.store.transitions.schedulers import add_next_run
from framework.store.transitions.stalled import recover_stalled
from tests.property.base import Base
from tests.property.world import START_MS, WORKERS, Held, nths, queues, workers

LOCK_MS = 30_000
PENDING_CHILDREN, FAILED_CHILDREN, CANCELLED = -4, -9, -22
STALLED_MS = 30_000
KINDS = ("complete", "fail", "retry", "delay", "give back", "park", "wait", "limit")
keeps = st.sampled_from([KeepJobs(), KeepJobs(), KeepJobs(count=0), KeepJobs(count=2)])


class Working(Base):
    """What workers do, through the transition that real ones use."""

    def trade(self, worker: str, queue: str, want: int, *endings: Ending) -> Exchanged:
        known = self.known

        async def call() -> Exchanged:
            return await exchange(
                self.world.lanes[worker],
                self.keys(queue),
                endings,
                Taker(f"{worker}:", LOCK_MS),
                want=want,
                next_token=known.tokens,
                now_ms=self.world.clock.ms,
            )

        answer = self.world.run(call)
        known.tokens += want
        known.held[worker] += [Held(queue, job) for job in answer.jobs]
        for job in answer.jobs:
            if b"rjk" in job.fields:
                self.people(
                    add_next_run, self.world.app.store, self.keys(queue), job.id, job.fields
                )
        if want:
            (known.awaited.add if answer.limited_ms else known.awaited.discard)(queue)
        return answer

    @rule(worker=workers, queue=queues, want=st.integers(1, 3), is_woken=st.booleans())
    def fetch(self, worker: str, queue: str, want: int, is_woken: bool) -> None:
        if is_woken:
            marker = self.keys(queue)["marker"]
            self.world.run(self.world.app.store.command, "ZPOPMIN", marker)
        before = self.views[queue]
        answer = self.trade(worker, queue, want)
        if answer.is_blocked:
            assert before.is_blocked()
        elif before.has_work() and not before.is_blocked():
            assert answer.jobs or answer.limited_ms, "jobs wait, and none was given"

    @rule(worker=workers, queue=queues)
    def fetch_one(self, worker: str, queue: str) -> None:
        self.trade(worker, queue, 1)

    @precondition(lambda self: self.everything_held())
    @rule(nth=nths, is_good=st.booleans())
    def end_a_run(self, nth: int, is_good: bool) -> None:
        self.end(nth, "complete" if is_good else "fail", KeepJobs(), 1)

    @precondition(lambda self: self.everything_held())
    @rule(
        nth=nths,
        kind=st.sampled_from(KINDS),
        keep=keeps,
        want=st.integers(0, 1),
    )
    def end_a_run_somehow(self, nth: int, kind: str, keep: KeepJobs, want: int) -> None:
        self.end(nth, kind, keep, want)

    def end(self, nth: int, kind: str, keep: KeepJobs, want: int) -> None:
        """Who owns the lock ends its run, unless children or people forbid; nobody else does."""
        worker, held = self.take_held(nth)
        view = self.views[held.queue]
        job_id = held.job.id
        is_owner = view.parts["lock"].get(job_id) == held.job.token
        waits = bool(view.parts["dependencies"].get(job_id))
        has_failed = bool(view.parts["unsuccessful"].get(job_id))
        is_cancelled = kind != "fail" and "fw.cancelled" in view.jobs.get(job_id, {})

        ending = ending_of(held.job, kind, keep)
        (code,) = self.trade(worker, held.queue, want, ending).codes

        is_forbidden = (kind == "complete" and (waits or has_failed)) or (
            kind == "wait" and has_failed
        )
        if is_owner and is_cancelled:
            assert code == CANCELLED
            self.known.held[worker].append(held)
        elif is_owner and is_forbidden:
            assert code in {PENDING_CHILDREN, FAILED_CHILDREN}
            self.known.held[worker].append(held)
        else:
            assert (code == 0) is is_owner, f"{kind} of {job_id}: {code}, owner: {is_owner}"

    def take_held(self, nth: int) -> tuple[str, Held]:
        """Let a worker end what it runs."""
        every = [(worker, held) for worker in WORKERS for held in self.known.held[worker]]
        worker, held = every[nth % len(every)]
        self.known.held[worker].remove(held)
        return worker, held

    @precondition(lambda self: self.everything_held())
    @rule(nth=nths)
    def lose_a_lock(self, nth: int) -> None:
        every = self.everything_held()
        held = every[nth % len(every)]
        lock = f"{self.keys(held.queue).base}{held.job.id}:lock"
        self.world.run(self.world.app.store.command, "DEL", lock)

    @precondition(lambda self: self.everything_held())
    @rule(queue=queues)
    def renew_locks(self, queue: str) -> None:
        jobs = [(it.job.id, it.job.token) for it in self.everything_held() if it.queue == queue]
        if jobs:
            store, keys = self.world.app.store, self.keys(queue)
            self.world.run(extend_locks, store, keys, jobs, LOCK_MS)

    @rule(queue=queues, passes=st.sampled_from([0, STALLED_MS + 1]))
    def look_for_stalled_jobs(self, queue: str, passes: int) -> None:
        async def check() -> None:
            await recover_stalled(
                self.world.app.store,
                self.keys(queue),
                now_ms=self.world.clock.ms,
                interval_ms=STALLED_MS,
            )

        self.world.run(check)
        self.time_passes(passes)


def ending_of(job: Fetched, kind: str, keep: KeepJobs) -> Ending:
    """Word how a run ended."""
    held = (job.id, job.token)
    endings: dict[str, Callable[[], Ending]] = {
        "complete": lambda: moves.completed(*held, b"1", keep),
        "fail": lambda: moves.failed(*held, "boom", b'["trace"]', 1, keep),
        "retry": lambda: moves.retried(*held, "boom", b"[]", 0, lifo=False),
        "delay": lambda: moves.retried(*held, "boom", b"[]", 50, lifo=False),
        "give back": lambda: moves.given_back(*held),
        "park": lambda: moves.parked_until(*held, START_MS + 60_000),
        "wait": lambda: moves.parked_for_children(*held),
        "limit": lambda: moves.parked_for_limit(*held, 10_000),
    }
    return endings[kind]()
