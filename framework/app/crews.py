"""Makes the crews of a process: the package's, and one for each worker that is started later."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from framework.app.builder import Listener
from framework.app.health import Vitals
from framework.app.settings import Settings
from framework.di.container import Container
from framework.store.store import Store
from framework.worker.crew import Crew
from framework.worker.schedules import ScheduleCare
from framework.worker.tether import Tether


@dataclass(frozen=True, slots=True)
class CrewMaker:
    """Makes crews, which have no workers yet.

    Args:
        store: Where the queues are.
        settings: How to work.
        pause_mode: What to write into queues, if anything.
        listeners: What hears all workers.
        vitals: Knows whether somebody wants to know of each queue all the time.
        on_stuck: Called when a worker takes nothing, whatever is done about it.
    """

    store: Store
    settings: Settings
    pause_mode: str | None
    listeners: Sequence[Listener]
    vitals: Vitals
    on_stuck: Callable[[], None]

    async def make(
        self,
        container: Container,
        *,
        care: ScheduleCare | None = None,
        tether: Tether | None = None,
        is_extra: bool = False,
        stacks: int | None = None,
    ) -> Crew:
        """Make one; the container has what listens, and the rest is as `Crew` takes it."""
        crew = Crew(
            self.store,
            shutdown=self.settings.shutdown_timeout,
            metrics=self.settings.metrics,
            pause_mode=self.pause_mode,
            presence=self.settings.worker_presence,
            care=care,
            patience=self.settings.watchdog,
            looks_always=self.vitals.is_probed,
            on_stuck=self.on_stuck,
            tether=tether,
            is_extra=is_extra,
            stacks=stacks,
        )
        for listener in self.listeners:
            crew.listeners.append((listener.hooks, await container.get(listener.kind)))
        return crew
