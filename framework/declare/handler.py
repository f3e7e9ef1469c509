"""What runs one job: a processor's method or function, its hints resolved and its shape checked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, get_args

from framework.declare.fit import filled, fits, is_open
from framework.declare.mark import ProcessorMark
from framework.declare.methods import is_async, refuse_generator
from framework.declare.names import job_name_of
from framework.di.expression import bare, origin_of, spell, spell_name
from framework.di.place import where
from framework.di.signature import REQUIRED, Parameter, Request, returns_of, signature_of
from framework.errors import ProcessorError
from framework.model.job import Job

NO_VARIABLES: Mapping[object, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """One way a processor handles jobs.

    Attributes:
        name: The jobs' name; None takes every name that no other handler has.
        attribute: The method's name; empty for a processor that is a function.
        payload: The type expression ``T`` of ``Job[T]``; ``Any`` for a bare ``Job``.
        result: What it returns; ``object`` if it does not say.
        parameters: What it takes after the job, to be injected.
        is_async: Whether it is an ``async def``.
        title: Its name for errors, such as ``Mail.process``.
        where: Where it is written.
    """

    name: str | None
    attribute: str
    payload: object = field(hash=False)
    result: object = field(hash=False)
    parameters: tuple[Parameter, ...]
    is_async: bool
    title: str
    where: str

    @property
    def is_typed(self) -> bool:
        """Whether its payload's type makes a route: not for ``Job[Any]`` and ``Job[object]``."""
        return self.payload is not Any and self.payload is not object

    def request(self, seeds: Iterable[object] = ()) -> Request:
        """Return what it asks the container for, on each run.

        Args:
            seeds: The type expressions whose values the executor brings along.
        """
        return Request(self.parameters, self.title, self.where, "job", frozenset(seeds))


def resolve_handler(
    function: Callable[..., object],
    mark: ProcessorMark,
    *,
    name: str | None = None,
    attribute: str = "",
    variables: Mapping[object, object] = NO_VARIABLES,
) -> HandlerSpec:
    """Read a handler's hints and check its shape; see `HandlerSpec` for the arguments.

    Args:
        function: The function, or the method's function.
        mark: What its processor noted.
        name: The jobs' name.
        attribute: The method's name.
        variables: What the type variables of its class's bases stand for.

    Raises:
        ProcessorError: It names the place and the fix.
    """
    refuse_generator(
        function, "a job has one result: return it, and report steps with ctx.progress(…)"
    )
    check_run_in(function, mark)
    skip = 1 if attribute else 0
    parameters = signature_of(function, skip=skip, error=ProcessorError, lenient=True)
    title, place = spell_name(function), where(function)
    job = job_parameter(parameters, title, place, receiver="self, " * skip)
    result = filled(returns_of(function, error=ProcessorError), variables)
    if result is REQUIRED or is_open(result):
        result = object
    payload, promised = promises_of(job, variables)
    asked = f"{title}({job.name}: {spell(job.wants)})"
    if is_open(payload) or is_open(promised):
        raise ProcessorError(
            f"{asked}: the payload's type is left open",
            where=place,
            fix="name it in the base class, as in class Mail(Base[Reminder])",
        )
    if not fits(result, promised):
        raise ProcessorError(
            f"{asked} -> {spell(result)}: the job promises {spell(promised)}",
            where=place,
            fix=f"write Job[{spell(payload)}], or return what it promises",
        )
    # Read once more, now that the job is known to be there: each of the others needs a hint.
    rest = signature_of(function, skip=skip + 1, error=ProcessorError)
    return HandlerSpec(name, attribute, payload, result, rest, is_async(function), title, place)


def promises_of(job: Parameter, variables: Mapping[object, object]) -> tuple[object, object]:
    """Return ``T`` and ``R`` of a parameter ``job: Job[T, R]``; what it leaves out may be any."""
    payload, promised, *_ = (*get_args(filled(bare(job.wants), variables)), Any, Any)
    return payload, promised


def job_parameter(
    parameters: tuple[Parameter, ...], title: str, place: str, *, receiver: str
) -> Parameter:
    """Return a handler's first parameter, which is the job.

    Raises:
        ProcessorError: There is none, or it is something else.
    """
    name = title.rpartition(".")[2]
    if not parameters:
        raise ProcessorError(
            f"{title} takes no job",
            where=place,
            fix=f"write async def {name}({receiver}job: Job[Reminder]), "
            "with your payload's type for Reminder",
        )
    first = parameters[0]
    if origin_of(first.wants) is not Job or first.kind == "keyword":
        raise ProcessorError(
            f"{title}({first.name}: {spell(first.wants)}): the first parameter is no job",
            where=place,
            fix=f"write async def {name}({receiver}job: Job[{spell_payload(first)}])",
        )
    return first


def spell_payload(parameter: Parameter) -> str:
    """Return what someone who forgot the ``Job`` around a payload may have meant."""
    known = origin_of(parameter.wants) not in {object, Any, Job}
    return spell(parameter.wants) if known else "Reminder"


def check_run_in(function: Callable[..., object], mark: ProcessorMark) -> None:
    """Refuse a handler that cannot run where its processor says.

    Raises:
        ProcessorError: A plain ``def`` that does not say, or an ``async def`` elsewhere.
    """
    title, place = spell_name(function), where(function)
    if is_async(function):
        if mark.run_in in {"thread", "process"}:
            raise ProcessorError(
                f"{title} is an async def and cannot run in a {mark.run_in}",
                where=place,
                fix=f'leave out run_in="{mark.run_in}", or write a plain def',
            )
    elif mark.run_in is None:
        raise ProcessorError(
            f"{title} is a plain def and would block the event loop",
            where=place,
            fix=f'write async def, or say where it runs: @processor("{mark.queue}", '
            'run_in="thread") for blocking calls, '
            'run_in="loop" if it never takes long',
        )


def default_name(handler: HandlerSpec, mark: ProcessorMark) -> str | None:
    """Return the name that jobs for a handler are added under; None if it has no route."""
    if handler.name is not None:
        return handler.name
    return mark.name or (job_name_of(handler.payload) if handler.is_typed else None)
