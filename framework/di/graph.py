"""Who provides what to whom: looked up and checked before anything is built. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from framework.di.expression import candidates, is_key, origin_of, spell
from framework.di.misses import fix_for, twice
from framework.di.provider import Provider, ProviderSpec, resolve_provider
from framework.di.signature import Parameter, Request
from framework.errors import DependencyError


class Factory(Protocol):
    """Makes every instance of a generic type, such as ``Producer[T]``."""

    def check(self, wants: object, asked_by: str) -> None:
        """Refuse at start what cannot be built.

        Args:
            wants: The whole type expression, ``Annotated`` kept.
            asked_by: Who asks, ready to be the error's ``where``.

        Raises:
            DeclarationError: It cannot be built.
        """
        ...

    def build(self, wants: object) -> object:
        """Build it; asked once per type expression."""
        ...


@dataclass(frozen=True, slots=True)
class Seed:
    """The caller brings it along on each run, under this key."""

    key: object


@dataclass(frozen=True, slots=True)
class Ready:
    """It is there already."""

    value: object


@dataclass(frozen=True, slots=True)
class Made:
    """A factory builds it."""

    factory: Factory
    wants: object


@dataclass(frozen=True, slots=True)
class Default:
    """The parameter takes its default."""


Source = Seed | Ready | Made | Provider | Default


class Graph:
    """The providers, values and factories of one application.

    Args:
        providers: As declared; their hints are read here.
        values: Ready objects by type expression.
        factories: By the origin of the types that they make.
        overrides: Objects that stand in for whatever else would be found.

    Raises:
        DependencyError: A provider that cannot be read, or two of one type.
    """

    def __init__(
        self,
        providers: Sequence[ProviderSpec],
        values: Mapping[object, object],
        factories: Mapping[object, Factory],
        overrides: Mapping[object, object],
    ) -> None:
        self.overrides = overrides
        self.values = values
        self.factories = factories
        self.providers: dict[object, Provider] = {}
        for spec in dict.fromkeys(providers):
            self._accept(resolve_provider(spec))

    def _accept(self, provider: Provider) -> None:
        provides, place = provider.provides, provider.spec.where
        if not is_key(provides):
            raise DependencyError(
                f"{spell(provides)} cannot be looked up: its metadata is not hashable",
                where=place,
                fix="annotate the return type without it",
            )
        if provides in self.providers:
            raise twice(provides, self.providers[provides].spec.where, place)
        if provides in self.values:
            raise twice(provides, "the framework", place)
        self.providers[provides] = provider

    def source_of(self, parameter: Parameter, seeds: frozenset[object]) -> Source | None:
        """Return where a parameter's value comes from; None if from nowhere."""
        keys = list(candidates(parameter.wants))
        for key in keys:
            if key in self.overrides:
                return Ready(self.overrides[key])
            if key in seeds:
                return Seed(key)
            if key in self.values:
                return Ready(self.values[key])
            if key in self.providers:
                return self.providers[key]
        for key in keys:
            factory = self.factories.get(origin_of(key))
            if factory is not None:
                return Made(factory, key)
        return None if parameter.is_required else Default()

    def check(self, requests: Iterable[Request]) -> None:
        """Check all requests, and all providers, asked for or not.

        Raises:
            DeclarationError: The first thing found wrong.
        """
        asked = list(requests)
        for request in asked:
            self.check_one(request)
        seeds = frozenset[object]().union(*(request.seeds for request in asked))
        for key, provider in self.providers.items():
            if key not in self.overrides:
                self._walk(replace(provider.request, seeds=seeds), (provider,), set())

    def check_one(self, request: Request) -> None:
        """Check one request, and what it leads to.

        Raises:
            DeclarationError: The first thing found wrong.
        """
        self._walk(request, (), set())

    def overridden(self, request: Request) -> Iterator[tuple[Request, Parameter]]:
        """Yield who asks for what an override stands in for, as far as a request leads."""
        for parameter in request.parameters:
            if any(key in self.overrides for key in candidates(parameter.wants)):
                yield request, parameter
                continue
            source = self.source_of(parameter, request.seeds)
            if isinstance(source, Provider):
                yield from self.overridden(replace(source.request, seeds=request.seeds))

    def _walk(self, request: Request, path: tuple[Provider, ...], seen: set[Provider]) -> None:
        for parameter in request.parameters:
            source = self._allowed(request, parameter)
            if isinstance(source, Made):
                source.factory.check(source.wants, asked_by(request, parameter))
            if not isinstance(source, Provider):
                continue
            if source in path:
                raise cycle(request, parameter, path[path.index(source) :])
            if source not in seen:
                self._walk(replace(source.request, seeds=request.seeds), (*path, source), seen)
                seen.add(source)

    def _allowed(self, request: Request, parameter: Parameter) -> Source:
        source = self.source_of(parameter, request.seeds)
        if source is None:
            raise self._missing(request, parameter)
        if parameter.kind == "positional" and not isinstance(source, Default):
            raise DependencyError(
                f"{request.label(parameter)}: what is positional-only cannot be injected",
                where=request.where,
                fix="remove the / from the signature",
            )
        if request.scope == "app" and lives_for_a_job(source):
            raise outlived(request, parameter, source)
        return source

    def _missing(self, request: Request, parameter: Parameter) -> DependencyError:
        known = {provider.provides: provider.spec.where for provider in self.providers.values()}
        others = [*self.values, *self.factories, *self.overrides, *request.seeds]
        return DependencyError(
            f"{request.label(parameter)}: no provider for {spell(parameter.wants, full=True)}",
            where=request.where,
            fix=fix_for(parameter.wants, known, others, request.seeds),
        )


def lives_for_a_job(source: Source) -> bool:
    """Tell whether something is made anew on each run."""
    return isinstance(source, Seed) or (isinstance(source, Provider) and source.spec.scope == "job")


def asked_by(request: Request, parameter: Parameter) -> str:
    """Return who asks, with the place: ``shop/mail.py:14: Mail.__init__(smtp: Smtp)``."""
    place = f"{request.where}: " if request.where else ""
    return f"{place}{request.label(parameter)}"


def outlived(request: Request, parameter: Parameter, source: Source) -> DependencyError:
    """Word that something which lives for long asks for what ends with each job."""
    place = f" ({source.spec.where})" if isinstance(source, Provider) else ""
    return DependencyError(
        f"{request.label(parameter)}: longer-lived asks shorter-lived: "
        f"{spell(parameter.wants, full=True)}{place} lives as long as one job, "
        f"{request.asked_by or 'the container'} as long as the process",
        where=request.where,
        fix='ask for it beside the job, in process(…), or from a @provider(scope="job")',
    )


def cycle(request: Request, parameter: Parameter, path: tuple[Provider, ...]) -> DependencyError:
    """Word that something needs itself, with the whole way round."""
    steps = [f"{spell(one.provides)} ({one.spec.where})" for one in path]
    return DependencyError(
        f"{request.label(parameter)}: a cycle: {' -> '.join([*steps, spell(path[0].provides)])}",
        where=request.where,
        fix="let one of them do without the next, or move what both need into a third",
    )
