"""Queues, several workers and people at them, at random: each step one thing that someone does.

Workers are simulated: they take and end jobs through the transition that real ones use, on a clock
that only moves when a step moves it.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from framework import Application, JobOptions, KeepJobs, Queue
from framework.errors import FrameworkError
from framework.model.job import JobId
from framework.store.lane import Lane
from framework.store.transitions import exchange as moves
from framework.store.transitions.exchange import Ending, Exchanged, Fetched, Taker, exchange
from framework.store.transitions.running import extend_locks
from framework.store.transitions.stalled import recover_stalled
from framework.wire.keys import QueueKeys
from tests.property.invariants import TOLD, troubles
from tests.property.snapshot import Look, View

T = TypeVar("T")

QUEUES = ("a", "b")
WORKERS = ("w1", "w2", "w3")
START_MS = 1_795_293_005_740
LOCK_MS = 30_000
STALLED_MS = 30_000

queues = st.sampled_from(QUEUES)
workers = st.sampled_from(WORKERS)
nths = st.integers(0, 40)
delays = st.sampled_from([0, 0, 5, 50, 40_000])
priorities = st.sampled_from([0, 0, 1, 7])
custom_ids = st.sampled_from(["", "", "", "x", "y", "z"])
keeps = st.sampled_from([KeepJobs(), KeepJobs(), KeepJobs(count=0), KeepJobs(count=2)])


class VirtualClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms


@dataclass
class World:
    """One application and its server, for one example after another."""

    portal: BlockingPortal
    app: Application
    clock: VirtualClock
    look: Look
    lanes: dict[str, Lane]
    prefix: str

    def run(self, act: Callable[..., Awaitable[T]], *args: Any) -> T:  # noqa: ANN401 - as `act` takes
        return self.portal.call(act, *args)


@dataclass
class Held:
    """A job that a simulated worker runs."""

    queue: str
    job: Fetched


@dataclass
class Known:
    """What the machine remembers between steps.

    Attributes:
        held: What each worker runs.
        told: The state that the last event told, by queue and id.
        reborn: Keys of jobs that were there once.
        tokens: How many each worker has used.
    """

    held: dict[str, list[Held]] = field(default_factory=lambda: {it: [] for it in WORKERS})
    told: dict[tuple[str, str], str] = field(default_factory=dict)
    reborn: set[str] = field(default_factory=set)
    tokens: int = 0


class Machine(RuleBasedStateMachine):
    """The steps. A subclass gives the world."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.run(self.world.look.clear)
        self.world.clock.ms = START_MS
        self.known = Known()
        self.views: dict[str, View] = {}
        self.look()

    # What holds after each step.

    @invariant()
    def all_is_in_order(self) -> None:
        before = self.views
        self.look()
        self.note_removals(before)
        assert troubles(self.views, self.known.reborn) == []
        self.check_holders()
        self.check_what_was_told()

    def look(self) -> None:
        self.views = self.world.run(self.world.look)

    def note_removals(self, before: dict[str, View]) -> None:
        for queue, view in before.items():
            for job_id in view.jobs.keys() - self.views[queue].jobs.keys():
                self.known.reborn.add(view.base + job_id)
                self.known.told.pop((queue, job_id), None)

    def check_holders(self) -> None:
        """Each lock is one of those that our workers were given; the others' jobs may stall."""
        tokens = {(it.queue, it.job.id): it.job.token for it in self.everything_held()}
        for queue, view in self.views.items():
            for job_id, token in view.parts["lock"].items():
                assert tokens[queue, JobId(job_id)] == token, f"who holds {job_id}?"

    def check_what_was_told(self) -> None:
        """Who reads the events alone knows where each job stands."""
        for queue, view in self.views.items():
            for event in view.news:
                if event["event"] in TOLD:
                    self.known.told[queue, event["jobId"]] = event["event"]
            for job_id in view.jobs:
                told = self.known.told.get((queue, job_id), "nothing")
                places = view.places(job_id)
                assert places[0] in TOLD.get(told, ()), f"{job_id}: told {told}, is in {places}"

    # Looking for somebody to do something with.

    def everything_held(self) -> list[Held]:
        return [held for worker in WORKERS for held in self.known.held[worker]]

    def some_job(self, queue: str, nth: int) -> str:
        """Pick a job of a queue; if it has none, an id of none."""
        ids = sorted(self.views[queue].jobs)
        return ids[nth % len(ids)] if ids else "nobody"

    def keys(self, queue: str) -> QueueKeys:
        return QueueKeys(self.world.prefix, queue)

    def queue(self, name: str) -> Queue:
        return self.world.app.queue(name)

    def people(self, act: Callable[..., Awaitable[object]], *args: Any, **options: Any) -> None:  # noqa: ANN401 - as `act` takes
        """Let somebody do something that may be refused."""

        async def attempt() -> None:
            with suppress(FrameworkError):
                await act(*args, **options)

        self.world.run(attempt)

    # Time.

    @rule(ms=st.sampled_from([1, 10, 100, 5_000, 31_000, 100_000]))
    def time_passes(self, ms: int) -> None:
        self.world.clock.ms += ms
        self.world.run(self.world.look.age, ms)

    # Adding.

    @rule(
        queue=queues,
        custom=custom_ids,
        delay=delays,
        priority=priorities,
        lifo=st.booleans(),
        attempts=st.integers(1, 3),
    )
    def add(
        self, queue: str, custom: str, delay: int, priority: int, lifo: bool, attempts: int
    ) -> None:
        options = JobOptions(
            delay=timedelta(milliseconds=delay), priority=priority, lifo=lifo, attempts=attempts
        )
        if custom:
            options["job_id"] = custom
        self.people(self.queue(queue).add, "n", **options)

    # Working.

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

    @precondition(lambda self: self.everything_held())
    @rule(
        nth=nths,
        kind=st.sampled_from(["complete", "complete", "fail", "retry", "delay", "give back"]),
        keep=keeps,
        want=st.integers(0, 1),
    )
    def end_a_run(self, nth: int, kind: str, keep: KeepJobs, want: int) -> None:
        worker, held = self.take_held(nth)
        ending = ending_of(held.job, kind, keep)
        view = self.views[held.queue]
        job_id = held.job.id
        is_owner = view.parts["lock"].get(job_id) == held.job.token
        waits = bool(view.parts["dependencies"].get(job_id))
        has_failed = bool(view.parts["unsuccessful"].get(job_id))

        (code,) = self.trade(worker, held.queue, want, ending).codes

        if kind == "complete" and is_owner and (waits or has_failed):
            assert code in {-4, -9}
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

    @rule(queue=queues)
    def look_for_stalled_jobs(self, queue: str) -> None:
        async def check() -> None:
            await recover_stalled(
                self.world.app.store,
                self.keys(queue),
                now_ms=self.world.clock.ms,
                interval_ms=STALLED_MS,
            )

        self.world.run(check)

    # Tending queues.

    @initialize(queue=queues, mode=st.sampled_from(["", "v5"]))
    def choose_how_to_pause(self, queue: str, mode: str) -> None:
        if mode:
            meta = self.keys(queue)["meta"]
            self.world.run(self.world.app.store.command, "HSET", meta, "x-fw.pause", mode)

    @rule(queue=queues)
    def pause(self, queue: str) -> None:
        self.people(self.queue(queue).pause)

    @rule(queue=queues)
    def resume(self, queue: str) -> None:
        self.people(self.queue(queue).resume)

    @rule(queue=queues, nth=nths)
    def remove(self, queue: str, nth: int) -> None:
        self.people(self.queue(queue).remove, self.some_job(queue, nth))


def machine_in(world: World) -> type[Machine]:
    """Give the machine its world."""
    return type("MachineInItsWorld", (Machine,), {"world": world})


def ending_of(job: Fetched, kind: str, keep: KeepJobs) -> Ending:
    """Word how a run ended."""
    match kind:
        case "complete":
            return moves.completed(job.id, job.token, b"1", keep)
        case "fail":
            return moves.failed(job.id, job.token, "boom", b'["trace"]', 1, keep)
        case "retry":
            return moves.retried(job.id, job.token, "boom", b"[]", 0, lifo=False)
        case "delay":
            return moves.retried(job.id, job.token, "boom", b"[]", 50, lifo=False)
        case _:
            return moves.given_back(job.id, job.token)
