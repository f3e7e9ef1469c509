"""Builds what is asked for, once, and closes it in reverse order."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Self, TypeVar, overload

import anyio

from framework.di.expression import spell
from framework.di.graph import Default, Factory, Graph, Made, Ready, Seed
from framework.di.lifetime import Opened, close_all, open_one
from framework.di.plan import Arguments, Plan, Step
from framework.di.provider import Provider, ProviderSpec
from framework.di.signature import Parameter, Request
from framework.errors import DependencyError

T = TypeVar("T")
NOTHING: Mapping[object, object] = MappingProxyType({})
NO_FACTORIES: Mapping[object, Factory] = MappingProxyType({})


class Container:
    """The things that live as long as the process, made when first needed.

    An async context manager: open it to build, leave it to close what was built. Leave it
    in the task that opened it. What holds a task group or a cancel scope must be built in
    that task too: `compile` and `construct` there what the workers need before they start.

    Args:
        providers: As declared.
        values: Ready objects by type expression, such as the settings.
        factories: By the origin of the types that they make, such as ``Producer``.
        overrides: Objects that stand in for whatever else would be found, for tests.

    Raises:
        DependencyError: A provider that cannot be read, or two of one type.
    """

    def __init__(
        self,
        providers: Sequence[ProviderSpec] = (),
        *,
        values: Mapping[object, object] = NOTHING,
        factories: Mapping[object, Factory] = NO_FACTORIES,
        overrides: Mapping[object, object] = NOTHING,
    ) -> None:
        self._graph = Graph(providers, values, factories, overrides)
        self._found: dict[object, object] = {}  # by what was asked for
        self._built: dict[object, object] = {}  # by provider, or by what a factory built
        self._opened: list[Opened] = []
        self._building: anyio.Lock | None = None

    def check(self, requests: Iterable[Request] = ()) -> None:
        """Check all requests and all providers. Builds nothing; needs no open container.

        Raises:
            DeclarationError: The first thing found wrong: it names the place and the fix.
        """
        self._graph.check(requests)

    def overrides_reach(self, requests: Iterable[Request]) -> bool:
        """Tell whether any request leads to an override."""
        return any(True for asked in requests for _ in self._graph.overridden(asked))

    def check_without_overrides(self, requests: Iterable[Request], why: str, fix: str) -> None:
        """Refuse requests that lead to an override, where only the real thing can be given.

        Args:
            why: Why that is so.
            fix: What to do instead.

        Raises:
            DependencyError: The first one; it names the place.
        """
        for asked in requests:
            for request, parameter in self._graph.overridden(asked):
                raise DependencyError(
                    f"{request.label(parameter)}: an override of "
                    f"{spell(parameter.wants, full=True)} does not reach it: {why}",
                    where=request.where,
                    fix=fix,
                )

    async def __aenter__(self) -> Self:
        self._building = anyio.Lock()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close everything, newest first, shielded from cancellation for a bounded time.

        Raises:
            BaseExceptionGroup: What providers raised, after all are closed.
        """
        self._building = None
        self._found.clear()
        self._built.clear()
        await close_all(self._opened)

    @overload
    async def get(self, wants: type[T], *, asked_by: str = "") -> T: ...
    @overload
    async def get(self, wants: object, *, asked_by: str = "") -> object: ...
    async def get(self, wants: object, *, asked_by: str = "") -> object:
        """Return what a type expression stands for; build it if no one has asked before.

        Args:
            wants: The type expression, such as ``Producer[Reminder]``.
            asked_by: Who asks, for errors.

        Raises:
            DeclarationError: Nothing provides it, or only to a running job.
        """
        if wants not in self._found:
            request = Request((Parameter("", wants),), asked_by)
            arguments = await self._prepare(request, {})
            self._found[wants] = arguments.fixed[""]
        return self._found[wants]

    async def construct(self, cls: type[T]) -> T:
        """Return a new instance of a class, its constructor's parameters injected.

        Raises:
            DeclarationError: A parameter that cannot be injected.
        """
        arguments = await self._prepare(Request.of(cls), {})
        return cls(**arguments.fixed)

    async def compile(self, request: Request) -> Plan:
        """Return how to fill the request's parameters on each run.

        Builds now what lives as long as the process, so that a run has only its own things
        to make.

        Raises:
            DeclarationError: A parameter that cannot be injected.
        """
        steps: dict[Provider, Step] = {}
        arguments = await self._prepare(request, steps)
        return Plan.of(arguments, tuple(steps.values()))

    async def _prepare(self, request: Request, steps: dict[Provider, Step]) -> Arguments:
        if self._building is None:
            raise RuntimeError("the container is not open; enter it with `async with` first")
        self._graph.check_one(request)
        async with self._building:
            return await self._arguments(request, request.seeds, steps)

    async def _arguments(
        self, request: Request, seeds: frozenset[object], steps: dict[Provider, Step]
    ) -> Arguments:
        fixed: dict[str, object] = {}
        seeded: list[tuple[str, object]] = []
        made: list[tuple[str, Provider]] = []
        for parameter in request.parameters:
            source = self._graph.source_of(parameter, seeds)
            match source:
                case Seed(key):
                    seeded.append((parameter.name, key))
                case Provider() if source.spec.scope == "job":
                    await self._add_step(source, seeds, steps)
                    made.append((parameter.name, source))
                case Default() | None:
                    pass
                case _:
                    fixed[parameter.name] = await self._value_of(source)
        return Arguments(fixed, tuple(seeded), tuple(made))

    async def _add_step(
        self, provider: Provider, seeds: frozenset[object], steps: dict[Provider, Step]
    ) -> None:
        if provider not in steps:
            arguments = await self._arguments(provider.request, seeds, steps)
            steps[provider] = Step(provider, arguments)

    async def _value_of(self, source: Ready | Made | Provider) -> object:
        if isinstance(source, Ready):
            return source.value
        key = source.wants if isinstance(source, Made) else source
        if key not in self._built:
            self._built[key] = await self._build(source)
        return self._built[key]

    async def _build(self, source: Made | Provider) -> object:
        if isinstance(source, Made):
            return source.factory.build(source.wants)
        arguments = await self._arguments(source.request, frozenset(), {})
        return await open_one(source, arguments.fixed, self._opened)
