"""What all steps share: looking at the queues before and after, and at whom to act."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from framework import Queue
from framework.errors import FrameworkError
from framework.wire.keys import QueueKeys
from tests.property.invariants import TOLD, missing_wake_up, troubles
from tests.property.snapshot import View
from tests.property.world import START_MS, WORKERS, Held, Known, World


class Base(RuleBasedStateMachine):
    """A machine without steps but that time passes. A subclass gives the world."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.run(self.world.look.clear)
        self.world.clock.ms = START_MS
        self.known = Known()
        self.views: dict[str, View] = self.world.run(self.world.look)

    @rule(ms=st.sampled_from([1, 10, 100, 5_000, 31_000, 100_000]))
    def time_passes(self, ms: int) -> None:
        self.world.clock.ms += ms
        self.world.run(self.world.look.age, ms)

    @invariant()
    def all_is_in_order(self) -> None:
        before = self.views
        self.views = self.world.run(self.world.look)
        self.note_what_went(before)
        found = troubles(self.views, self.known.reborn)
        assert not found, found
        self.check_wake_ups(before)
        self.check_holders()
        self.check_what_was_told()

    def note_what_went(self, before: dict[str, View]) -> None:
        for queue, view in before.items():
            for job_id in view.jobs.keys() - self.views[queue].jobs.keys():
                self.known.reborn.add(view.base + job_id)
                self.known.told.pop((queue, job_id), None)

    def check_wake_ups(self, before: dict[str, View]) -> None:
        """Jobs that workers may take wake them, unless one comes by itself."""
        for queue, view in self.views.items():
            if queue not in self.known.awaited:
                missing = missing_wake_up(before[queue], view)
                assert missing is None, f"{queue}: {missing}"

    def check_holders(self) -> None:
        """Each lock is one that our workers were given, and no job has two."""
        tokens = {it.job.token for it in self.everything_held()}
        for view in self.views.values():
            for job_id, token in view.parts["lock"].items():
                assert token in tokens, f"who holds {job_id}?"

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

    def everything_held(self) -> list[Held]:
        return [held for worker in WORKERS for held in self.known.held[worker]]

    def some_job(self, nth: int) -> tuple[str, str]:
        """Pick a job: queue and id; if there is none, an id of none."""
        ids = [
            (queue, job_id) for queue, view in self.views.items() for job_id in sorted(view.jobs)
        ]
        return ids[nth % len(ids)] if ids else ("a", "nobody")

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
