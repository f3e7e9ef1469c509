"""The workers that the package declares: made, run and stopped together."""

from collections.abc import Sequence

import anyio
from anyio.abc import TaskStatus

from framework.app.crews import CrewMaker
from framework.app.discovery import Declarations
from framework.app.health import Vitals
from framework.app.lines import Lines
from framework.app.schedules import care_for
from framework.app.settings import Settings
from framework.app.wiring import wiring_of
from framework.app.work import make_work
from framework.declare.schedule import ScheduleSpec
from framework.di.container import Container
from framework.errors import StuckError
from framework.store.store import Store
from framework.worker.crew import Crew
from framework.worker.tether import Tether


class DeclaredWorkers:
    """Runs the workers that the package declares.

    Args:
        declarations: Which they are.
        schedules: What the package says of schedules.
        settings: How to work.
        store: Where the queues are.
        lines: The queues.
        crews: Makes what runs them.
        vitals: Is told what runs.

    Attributes:
        is_stuck: Whether one took nothing in the last run, whatever was done about it.
    """

    def __init__(
        self,
        declarations: Declarations,
        schedules: Sequence[ScheduleSpec],
        settings: Settings,
        store: Store,
        lines: Lines,
        crews: CrewMaker,
        vitals: Vitals,
    ) -> None:
        self._declarations = declarations
        self._schedules = schedules
        self._settings = settings
        self._store = store
        self._lines = lines
        self._crews = crews
        self._vitals = vitals
        self._crew: Crew | None = None
        self._starting: anyio.CancelScope | None = None
        self._tether: Tether | None = None
        self._stacks: int | None = None
        self.is_stuck = False

    @property
    def running(self) -> int:
        """How many jobs they run now."""
        return self._crew.running if self._crew else 0

    def tie(self, tether: Tether, stacks: int) -> None:
        """Tie them to a supervisor, before they run."""
        self._tether, self._stacks = tether, stacks

    async def run(
        self, container: Container, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Make and run them until `end`, as `Application.work` says, and raise what it does."""
        self.is_stuck = False
        try:
            await self._run(container, task_status)
        finally:
            if not self._vitals.is_probed:
                self._vitals.crew = None
        if self.is_stuck and self._settings.exit_when_stuck:
            raise StuckError

    async def _run(self, container: Container, task_status: TaskStatus[None]) -> None:
        settings, declarations = self._settings, self._declarations
        crew = self._vitals.crew = await self._crews.make(
            container,
            care=care_for(declarations, self._schedules, self._store, settings.prefix),
            tether=self._tether,
            stacks=self._stacks,
        )
        with anyio.CancelScope() as starting:
            self._starting = starting
            await self._store.check(settings.start_timeout.total_seconds())
            for spec in declarations.selected:
                wiring = wiring_of(spec, declarations, settings)
                work = await make_work(spec, container, wiring, settings.max_crashes)
                crew.add(self._lines.get(spec.queue).keys, work)
        if starting.cancel_called:
            task_status.started()
            return
        self._crew = crew
        try:
            await crew.run(task_status=task_status)
        finally:
            self._crew = None

    def end(self, *, now: bool = False) -> None:
        """Stop them, also while they start, without waiting for it; ``now``: give jobs back."""
        if self._starting is not None:
            self._starting.cancel()
        if self._crew is not None:
            self._crew.stop(now=now)
