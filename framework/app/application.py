"""The one wiring: settings -> store -> container -> routes -> producers -> workers.

The command line, the tests, plugins and user code all use it; nobody wires by hand.
"""

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar, overload

import anyio
from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal, start_blocking_portal
from anyio.lowlevel import checkpoint

from framework.app.builder import Builder
from framework.app.crews import CrewMaker
from framework.app.declared import DeclaredWorkers
from framework.app.discovery import Declarations, discover
from framework.app.factories import BackgroundFactory, ProducerFactory, QueueFactory, SyncFactory
from framework.app.flows import FlowProducerFactory
from framework.app.health import Vitals
from framework.app.lines import Lines
from framework.app.misspelt import warn_of_unknown
from framework.app.plugins import add_plugins, read_providers
from framework.app.portal_view import SyncApplication, has_uvloop
from framework.app.routes import Routes
from framework.app.schedules import resolve_schedules
from framework.app.settings import Settings, load_settings
from framework.app.work import check_runnable, requests_of, told_as_start_error
from framework.app.workers import Workers
from framework.client.flow_producer import FlowProducer
from framework.client.producer import Producer
from framework.client.queue import Queue
from framework.client.queues import Queues
from framework.client.redis import Redis
from framework.client.sync_flow_producer import SyncFlowProducer
from framework.client.sync_producer import SyncProducer
from framework.di.container import Container
from framework.model.clock import Clock, SystemClock
from framework.model.health import Health
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.worker.tether import Tether

T = TypeVar("T")
NOTHING: Mapping[object, object] = MappingProxyType({})
NO_PACKAGE = Declarations("")


class Application:
    """A package's declarations, wired to one Redis. An async context manager.

    Inside any program it gives producers and queues; `work` adds the workers.

    Args:
        package: The package to discover, or what was discovered; none: nothing is declared, and
            queues are used by their names.
        settings: Read from the environment unless given.
        overrides: Objects by type that stand in for what would be provided, for tests. They do
            not reach child processes: `work` refuses a processor there that asks for one.
        clock: The system's unless given.

    Raises:
        DeclarationError: The wiring cannot work; the place and the fix are named. Nothing
            has touched Redis.
        PluginError: A plugin is broken; it is named.
        SettingsError: A setting cannot be used.
    """

    def __init__(
        self,
        package: str | Declarations = NO_PACKAGE,
        *,
        settings: Settings | None = None,
        overrides: Mapping[object, object] = NOTHING,
        clock: Clock | None = None,
    ) -> None:
        self.declarations = discover(package) if isinstance(package, str) else package
        self.settings = settings or load_settings()
        self.clock = clock or SystemClock()
        self.builder = Builder()
        self.builder.providers += self.declarations.providers
        add_plugins(self.builder, self.settings.plugins)
        read_providers(self.builder)
        self.routes = Routes(self.declarations.processors, self.declarations.routes)
        self.schedules = resolve_schedules(
            self.declarations.schedules, self.declarations.processors, self.routes
        )
        self.store = Store(
            self.settings.url,
            clock=self.clock,
            timeout=self.settings.timeout.total_seconds(),
            copies=self.settings.redis_copies,
        )
        self._lines = Lines(self.store, self.settings)
        self._tasks: TaskGroup | None = None
        self._portal: BlockingPortal | None = None
        self.vitals = Vitals(self.store, self.builder.checks, lambda: self.workers.crews)
        crews = CrewMaker(
            self.store,
            self.settings,
            self._lines.pause_mode,
            self.builder.listeners,
            self.vitals,
            self._stuck,
        )
        self.workers = Workers(self.declarations, self.settings, self.store, self._lines, crews)
        self._declared = DeclaredWorkers(
            self.declarations,
            self.schedules,
            self.settings,
            self.store,
            self._lines,
            crews,
            self.vitals,
        )
        self._stack = AsyncExitStack()
        producers = ProducerFactory(self.routes, self._lines.get)
        flows = FlowProducerFactory(self.routes, self._lines.get)
        self.container = Container(
            self.builder.providers,
            values={
                Settings: self.settings,
                type(self.settings): self.settings,
                Clock: self.clock,
                Queues: Queues(self._lines.get, self._lines.drop),
                Redis: Redis(self.store),
                Routes: self.routes,
                Workers: self.workers,
            },
            factories={
                Producer: producers,
                SyncProducer: SyncFactory(producers, SyncProducer, self._need_portal),
                Queue: QueueFactory(self._lines.get),
                FlowProducer: flows,
                TaskGroup: BackgroundFactory(lambda: self._lines.tasks),
                SyncFlowProducer: SyncFactory(flows, SyncFlowProducer, self._need_portal),
            },
            overrides=overrides,
        )
        queues = {one.queue for one in self.declarations.processors}
        for queue in queues.union(one.queue for one in self.declarations.routes):
            self.store.check_together(QueueKeys(self.settings.prefix, queue).base)
        check_runnable(self.declarations.processors)
        self.container.check([*requests_of(self.declarations.processors), *self.builder.requests()])

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseExceptionGroup as group:
            # What one plugin's start raises is one error, not a group of one.
            raise alone_in(group) from None
        return self

    async def _open(self) -> None:
        async with AsyncExitStack() as stack:
            if self._tasks is not None:
                raise RuntimeError("the application runs already")
            warn_of_unknown(self.builder.settings)
            stack.callback(self._forget)
            await stack.enter_async_context(self.store)
            self._tasks = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(self._tasks.cancel_scope.cancel)
            self._portal = await stack.enter_async_context(BlockingPortal())
            self._lines.open(self._tasks)
            self._tasks.start_soon(self._lines.adder.run)
            await stack.enter_async_context(self._lines.adder.for_threads())
            self._tasks.start_soon(self.store.watch)
            if self.vitals.is_probed:
                self._tasks.start_soon(self.vitals.run)
            await stack.enter_async_context(self.container)
            self.workers.open(self.container)
            stack.push_async_callback(self.workers.close)
            await self._make_additions()
            if self.vitals.is_probed:
                self._tasks.start_soon(self.vitals.checks.run)
            # Let the adder start, so that the first add finds it there.
            await checkpoint()
            self._stack = stack.pop_all()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _make_additions(self) -> None:
        """Make what plugins want to be there from the beginning."""
        for plugin, provides in self.builder.eager:
            with told_as_start_error(f'plugin "{plugin}"'):
                await self.container.get(provides)
        await self.vitals.checks.make(self.container)

    def _forget(self) -> None:
        """Forget what belongs to one run: the application may be entered again."""
        self._lines.forget()
        self._tasks = self._portal = None

    @overload
    async def get(self, wants: type[T]) -> T: ...
    @overload
    async def get(self, wants: Any) -> Any: ...  # noqa: ANN401 - Annotated[...] is no type to a checker
    async def get(self, wants: Any) -> Any:
        """Return what a type stands for: ``Producer[Reminder]``, a provided class, Settings.

        Raises:
            DeclarationError: Nothing provides it.
        """
        return await self.container.get(wants)

    async def producer(self, payload: type[T]) -> Producer[T, Any]:
        """Return the producer of one payload type.

        Raises:
            RouteError: No queue takes it, or two do.
        """
        found: Producer[T, Any] = await self.container.get(Producer[payload])  # type: ignore[valid-type]  # built at run time
        return found

    def queue(self, name: str) -> Queue:
        """Return a queue by its name."""
        return Queue(self._lines.get(name))

    async def check(self) -> None:
        """Reach Redis once, within ``start_timeout``.

        Raises:
            RedisUnavailableError: It is not there.
            RedisRefusedError: It refuses the user or password.
        """
        await self.store.check(self.settings.start_timeout.total_seconds())

    async def work(
        self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Run the package's workers until `stop`; ``task_status`` tells when all take jobs.

        Raises:
            RedisUnavailableError: Redis is not there within ``start_timeout``.
            FormatError: A queue was written by a newer release.
            StuckError: With ``exit_when_stuck``: jobs wait, and the workers take none.
        """
        await self._declared.run(self.container, task_status=task_status)

    def tie(self, tether: Tether, stacks: int) -> None:
        """Tie the workers to a supervisor, before `work`; the command line does."""
        self._declared.tie(tether, stacks)
        self.workers.tether = tether

    def stop(self, *, now: bool = False) -> None:
        """End `work`: take no more jobs and let running ones end; ``now``: give them back."""
        self.workers.end(now=now)
        self._declared.end(now=now)

    def _stuck(self) -> None:
        self._declared.is_stuck = True
        if self.settings.exit_when_stuck:
            self.stop()

    async def health(self) -> Health:
        """Look at Redis and at each queue that this process works; it takes 3 s at most."""
        return await self.vitals.look()

    @property
    def running(self) -> int:
        """How many jobs this process runs now."""
        return self._declared.running + sum(one.running for one in self.workers.started)

    @contextmanager
    def sync(self) -> Iterator[SyncApplication]:
        """Run this application in a thread of its own, for programs without an event loop."""
        loop = start_blocking_portal(backend_options={"use_uvloop": has_uvloop()})
        with loop as portal, portal.wrap_async_context_manager(self):
            yield SyncApplication(self.container, portal)

    def _need_portal(self) -> BlockingPortal:
        if self._portal is None:
            raise RuntimeError("the application is not running: use it as 'async with'")
        return self._portal


def alone_in(error: BaseException) -> BaseException:
    """Return the one error that a group holds, or the group of several."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
