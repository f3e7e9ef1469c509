"""From a declared processor to what a worker runs."""

from collections.abc import Sequence

from anyio import CapacityLimiter

from framework.declare.spec import ProcessorSpec
from framework.di.container import Container
from framework.di.signature import Request
from framework.errors import PayloadError, ProcessorError
from framework.wire.payload import codec_of
from framework.worker.runner import context_for, make_runner
from framework.worker.worker import Work


def requests_of(processors: Sequence[ProcessorSpec]) -> list[Request]:
    """Return all that processors and their handlers ask the container for."""
    return [
        request
        for spec in processors
        for request in (
            spec.request(),
            *(one.request([context_for(spec.runs)]) for one in spec.handlers),
        )
    ]


def check_runnable(processors: Sequence[ProcessorSpec]) -> None:
    """Refuse payloads that pydantic cannot check, and processes, which come later.

    Raises:
        ProcessorError: It names the place and the fix.
    """
    for spec in processors:
        if spec.runs == "process":
            raise ProcessorError(
                f'{spec.title}: run_in="process" is not there yet',
                where=spec.where,
                fix='write run_in="thread", and start more processes for CPU-bound work',
            )
        for handler in spec.handlers:
            try:
                codec_of(handler.payload)
                codec_of(handler.result)
            except PayloadError as error:
                raise ProcessorError(
                    f"{handler.title}: {error}",
                    where=handler.where,
                    fix="use a pydantic model, a dataclass, a TypedDict or plain JSON types",
                ) from error


async def make_work(spec: ProcessorSpec, container: Container) -> Work:
    """Construct a processor and compile its handlers.

    Raises:
        DeclarationError: A parameter that cannot be injected.
    """
    target = await container.construct(spec.target) if spec.is_class else spec.target  # type: ignore[arg-type]  # is_class says so
    limiter = CapacityLimiter(spec.concurrency) if spec.runs == "thread" else None
    named, catch_all = {}, None
    for handler in spec.handlers:
        plan = await container.compile(handler.request([context_for(spec.runs)]))
        runner = make_runner(handler, target, plan, limiter)
        if handler.name is None:
            catch_all = runner
        else:
            named[handler.name.encode()] = runner
    return Work(spec, target, named, catch_all)
