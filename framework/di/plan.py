"""What one run of a job needs, compiled once at start: the hot path of injection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from framework.di.lifetime import Opened, close_one, open_one
from framework.di.provider import Provider

NOTHING_MADE: Mapping[Provider, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Arguments:
    """How to fill the parameters of one callable.

    Attributes:
        fixed: What lives as long as the process, by parameter name.
        seeded: Parameter name and the seed's type expression.
        made: Parameter name and the job-scoped provider.
    """

    fixed: dict[str, object] = field(default_factory=dict[str, object])
    seeded: tuple[tuple[str, object], ...] = ()
    made: tuple[tuple[str, Provider], ...] = ()

    def fill(
        self, seeds: Mapping[object, object], made: Mapping[Provider, object]
    ) -> dict[str, object]:
        """Return the keyword arguments of one call; they are not to be changed."""
        if not (self.seeded or self.made):
            return self.fixed
        filled = self.fixed.copy()
        for name, key in self.seeded:
            filled[name] = seeds[key]
        for name, provider in self.made:
            filled[name] = made[provider]
        return filled


@dataclass(frozen=True, slots=True)
class Step:
    """One job-scoped provider of a plan, and how to call it."""

    provider: Provider
    arguments: Arguments


class JobScope:
    """What job-scoped providers opened for one run."""

    __slots__ = ("_opened",)

    def __init__(self) -> None:
        self._opened: list[Opened] = []

    async def open(self, step: Step, arguments: Mapping[str, object]) -> object:
        """Make what one provider provides."""
        return await open_one(step.provider, arguments, self._opened)

    async def close(self, error: BaseException | None = None) -> None:
        """Finish all generators, newest first, or throw ``error`` into them.

        What one of them raises instead replaces the error for those that are left. A
        generator that swallows the error changes nothing: the run has failed, and the
        caller still holds its error. After an error, cancellation waits until all are closed.

        Args:
            error: The run's error; None if it succeeded or parked.

        Raises:
            BaseException: The last error that closing raised; it is now the run's error.
        """
        current = error
        while self._opened:
            try:
                await close_one(self._opened.pop(), current, shielded=current is not None)
            except BaseException as raised:  # raised below, once all are closed
                current = raised
        if current is not None and current is not error:
            raise current


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How to fill a handler's parameters on each run.

    Attributes:
        arguments: The handler's own parameters.
        steps: The job-scoped providers, in the order to open them.
        seeds: The seeds that a run needs: others need not be made.
        is_empty: The handler takes nothing beside the job; call it directly.
        is_simple: Nothing is job-scoped; `fill` suffices, there is nothing to close.
    """

    arguments: Arguments
    steps: tuple[Step, ...]
    seeds: frozenset[object]
    is_empty: bool
    is_simple: bool

    @classmethod
    def of(cls, arguments: Arguments, steps: tuple[Step, ...]) -> "Plan":
        """Return the plan of these arguments and steps."""
        everyone = (arguments, *(step.arguments for step in steps))
        seeds = frozenset(key for one in everyone for _, key in one.seeded)
        is_empty = not (arguments.fixed or arguments.seeded or arguments.made)
        return cls(arguments, steps, seeds, is_empty, is_simple=not steps)

    def fill(self, seeds: Mapping[object, object]) -> dict[str, object]:
        """Return the keyword arguments of one run of a simple plan.

        Args:
            seeds: The value of each of ``self.seeds``, by type expression.
        """
        return self.arguments.fill(seeds, NOTHING_MADE)

    async def open(self, seeds: Mapping[object, object]) -> tuple[dict[str, object], JobScope]:
        """Make what lives as long as this run; works for any plan.

        If a provider fails, those already opened are closed with its error.

        Args:
            seeds: The value of each of ``self.seeds``, by type expression.

        Returns:
            The keyword arguments, and the scope to close once the handler has returned.
        """
        scope = JobScope()
        made: dict[Provider, object] = {}
        try:
            for step in self.steps:
                made[step.provider] = await scope.open(step, step.arguments.fill(seeds, made))
        except BaseException as error:
            await scope.close(error)
            raise
        return self.arguments.fill(seeds, made), scope
