"""Workers that are started and stopped while an application runs."""

from collections.abc import Callable
from dataclasses import replace

import anyio
from anyio.abc import TaskStatus

from framework.app.crews import CrewMaker
from framework.app.discovery import Declarations
from framework.app.lines import Lines
from framework.app.settings import Settings
from framework.app.work import build_work, check_runnable, limiter_of, requests_of
from framework.declare.mark import ProcessorMark, check_mark, mark_of
from framework.declare.spec import ProcessorSpec, resolve
from framework.di.container import Container
from framework.di.expression import spell_name
from framework.di.place import where
from framework.errors import OptionsError, ProcessorError
from framework.store.store import Store
from framework.worker.crew import Crew
from framework.worker.tether import Tether


class RunningWorker:
    """A worker that `Workers.start` started.

    Attributes:
        queue: The name of its queue.
        processor: The full name of what runs its jobs.
        label: What tells it from others of its queue.
        crew: The framework's own.
    """

    def __init__(self, spec: ProcessorSpec, crew: Crew, label: str = "") -> None:
        self.queue = spec.queue
        self.processor = spec.title
        self.label = label
        self.crew = crew
        self._most = spec.concurrency
        self._ended = anyio.Event()
        self._is_ending = False

    def __repr__(self) -> str:
        return f"RunningWorker(queue={self.queue!r}, processor={self.processor!r})"

    @property
    def running(self) -> int:
        """How many jobs it runs now."""
        return self.crew.running

    @property
    def is_ending(self) -> bool:
        """Whether it takes no more jobs."""
        return self._is_ending

    @property
    def has_ended(self) -> bool:
        """Whether it takes no more jobs, and all that it ran have ended."""
        return self._ended.is_set()

    @property
    def concurrency(self) -> int:
        """How many jobs it may run at once now."""
        return sum(worker.pump.concurrency for worker in self.crew.workers)

    def resize(self, concurrency: int) -> None:
        """Run so many jobs at once from now on; those that run may all end.

        Args:
            concurrency: From 0, which takes no job, to what it was started with.

        Raises:
            OptionsError: It is less or more than that.
        """
        if not 0 <= concurrency <= self._most:
            raise OptionsError("concurrency", f"it is from 0 to {self._most}, got {concurrency}")
        for worker in self.crew.workers:
            worker.pump.resize(concurrency)

    def end(self, *, now: bool = False) -> None:
        """Take no more jobs, and do not wait for those that run; ``now``: give them back."""
        self._is_ending = True
        self.crew.stop(now=now)

    async def stop(self, *, now: bool = False) -> None:
        """Take no more jobs, and return once those that run have ended.

        Args:
            now: Give them back at once, in place of waiting for ``shutdown_timeout``.
        """
        self.end(now=now)
        await self._ended.wait()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Work until stopped."""
        try:
            await self.crew.run(task_status=task_status)
        finally:
            self._is_ending = True
            self._ended.set()


class Workers:
    """The workers of an application; more can be started while it runs. Ask for it by its type.

    What the package declares is worked wherever its workers run. What is started here is worked by
    this process alone, whether it runs the package's workers or not, until the application closes.

    Attributes:
        tether: Ties the process to a supervisor, if it has one; the framework's own.
    """

    def __init__(
        self,
        declarations: Declarations,
        settings: Settings,
        store: Store,
        lines: Lines,
        crews: CrewMaker,
    ) -> None:
        self._declarations = declarations
        self._settings = settings
        self._store = store
        self._lines = lines
        self._crews = crews
        self._container: Container | None = None
        self._started: dict[tuple[str, str], RunningWorker] = {}
        self._starting = anyio.Lock()
        self.tether: Tether | None = None

    @property
    def declared(self) -> tuple[Callable[..., object], ...]:
        """The classes and functions that the package declares with `@processor`."""
        return tuple(one.target for one in self._declarations.processors)

    @property
    def started(self) -> tuple[RunningWorker, ...]:
        """What `start` has started, and has not ended."""
        return tuple(one for one in self._started.values() if not one.has_ended)

    @property
    def crews(self) -> list[Crew]:
        """What runs them."""
        return [one.crew for one in self.started]

    def open(self, container: Container) -> None:
        """Let workers be started, of what the container builds."""
        self._container = container
        self._starting = anyio.Lock()

    def end(self, *, now: bool = False) -> None:
        """Stop what was started, without waiting for it."""
        for worker in self.started:
            worker.end(now=now)

    async def close(self) -> None:
        """Stop what was started, and wait for the jobs that run."""
        self._container = None
        self.end()
        for worker in self.started:
            await worker.stop()
        self._started.clear()

    async def start(
        self,
        target: Callable[..., object],
        *,
        queue: str | None = None,
        concurrency: int | None = None,
        label: str = "",
        idle: bool = False,
        name: str | None = None,
    ) -> RunningWorker:
        """Start a worker in this process; a second time for one queue returns the first.

        Of one queue and label, that is: with labels, several work a queue beside each other.

        In a worker process of ``framework run`` the supervisor keeps its locks and gives its jobs
        back as soon as the process is dead; elsewhere they are back in line once their locks have
        ended. A job that ends its process each time is not quarantined: declare in the package
        what may do that.

        Args:
            target: A class with ``process``, or a function, as `processor` takes it, with that
                mark or without. What it asks for is injected. It runs in the loop or in a thread.
            queue: The queue's name; as its mark says unless given.
            concurrency: How many jobs it runs at once; as its mark says unless given, else 1.
            label: What tells it from others of the queue in this process.
            idle: Take no job until `RunningWorker.resize` says how many.
            name: What the worker calls itself, to dashboards and in each job's ``processed_by``;
                its host and process id unless given.

        Raises:
            DeclarationError: It cannot be a processor, or be injected, or another one works the
                queue: a declared one, or one of another name.
            RedisUnavailableError: Redis is not there within ``start_timeout``.
            RuntimeError: The application does not run.
        """
        spec = resolve(target, self._mark_of(target, queue, concurrency))
        self._refuse_declared(spec)
        check_runnable([spec])
        async with self._starting:
            known = self._started.get((spec.queue, label))
            if known is not None and not known.is_ending:
                if known.processor == spec.title:
                    return known
                raise worked_already(spec, known.processor, "stop that worker first")
            if known is not None:
                await known.stop()
            worker = await self._make(spec, label, name)
            if idle:
                worker.resize(0)
            await self._lines.tasks.start(worker.run)
            self._started[spec.queue, label] = worker
            return worker

    async def _make(self, spec: ProcessorSpec, label: str, name: str | None) -> RunningWorker:
        container, settings = self._container, self._settings
        if container is None:
            raise RuntimeError("the application is not running: use it as 'async with'")
        container.check(requests_of([spec]))
        crew = await self._crews.make(container, tether=self.tether, is_extra=True)
        # One of the process says how safe jobs are on the server.
        crew.server.is_silent = bool(self._declarations.selected or self._started)
        work = await build_work(spec, container, limiter_of(spec))
        await self._store.check(settings.start_timeout.total_seconds())
        crew.add(self._lines.get(spec.queue).keys, work, name)
        return RunningWorker(spec, crew, label)

    @staticmethod
    def _mark_of(
        target: Callable[..., object], queue: str | None, concurrency: int | None
    ) -> ProcessorMark | None:
        mark = mark_of(target)
        if mark is None and queue is not None:
            mark = ProcessorMark(queue=queue)
        if mark is None:
            return None
        mark = replace(
            mark,
            queue=mark.queue if queue is None else queue,
            concurrency=mark.concurrency if concurrency is None else concurrency,
        )
        check_mark(mark, where(target))
        if mark.run_in == "process":
            raise ProcessorError(
                f"{spell_name(target)} runs in a process, which imports what a package declares",
                where=where(target),
                fix='declare it in the package, or run it with run_in="thread"',
            )
        return mark

    def _refuse_declared(self, spec: ProcessorSpec) -> None:
        for one in self._declarations.processors:
            if one.queue == spec.queue:
                fix = "run the package's workers, or choose another queue"
                raise worked_already(spec, one.title, fix)


def worked_already(spec: ProcessorSpec, other: str, fix: str) -> ProcessorError:
    """Word that a queue has its worker."""
    return ProcessorError(
        f'{spec.title} cannot work the queue "{spec.queue}": {other} does already',
        where=spec.where,
        fix=fix,
    )
