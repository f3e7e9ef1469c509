"""From a declared processor to what a worker runs."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import EllipsisType
from typing import Any, Protocol

from anyio import CapacityLimiter

from framework.declare.spec import ProcessorSpec
from framework.di.container import Container
from framework.di.signature import Request
from framework.errors import (
    FrameworkError,
    OptionsError,
    PayloadError,
    ProcessorError,
    StartError,
)
from framework.wire.options import encode_options
from framework.wire.payload import codec_of
from framework.worker.child_process import Wiring
from framework.worker.children import Children
from framework.worker.isolation import IsolatedRunner
from framework.worker.runner import Call, Runner, context_for, in_loop
from framework.worker.threads import in_thread
from framework.worker.worker import Work


class CallOf(Protocol):
    """Makes something to await of a handler, wherever that runs."""

    def __call__(self, function: Callable[..., Any], *, is_async: bool) -> Call:
        """Make it."""
        ...


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
    """Refuse options out of their range, and payloads that pydantic cannot check.

    Raises:
        ProcessorError: It names the place and the fix.
    """
    for spec in processors:
        try:
            encode_options(spec.defaults)
        except OptionsError as error:
            raise ProcessorError(
                f"{spec.title}: defaults=JobOptions(...): {error}",
                where=spec.where,
                fix="correct the option; all its jobs would be refused",
            ) from error
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


def limiter_of(spec: ProcessorSpec) -> CapacityLimiter | None:
    """Return what the threads of a processor's jobs are taken from, if they run in threads."""
    return CapacityLimiter(spec.concurrency) if spec.runs == "thread" else None


async def make_work(
    spec: ProcessorSpec, container: Container, wiring: Wiring, max_crashes: int | None
) -> Work:
    """Make what a worker runs.

    What runs in child processes is constructed there, and here only for its hooks.

    Args:
        spec: The processor.
        container: What builds it.
        wiring: What its child processes must know.
        max_crashes: Unless the processor says: from how many crashes on to quarantine a job.

    Raises:
        DeclarationError: A parameter that cannot be injected; with child processes, one that an
            override stands in for.
        StartError: A provider or the constructor raised.
    """
    if spec.runs != "process":
        work = await build_work(spec, container, limiter_of(spec))
        if container.overrides_reach(requests_of([spec])):
            return work  # a child would use the real thing
        most = max_crashes if isinstance(spec.max_crashes, EllipsisType) else spec.max_crashes
        return replace(work, spare=Children.spare(wiring), max_crashes=most)
    container.check_without_overrides(
        requests_of([spec]),
        f"{spec.title} runs in child processes, which are wired anew and would use the real thing",
        'run it with run_in="thread" in tests, or let a provider choose by a setting: settings '
        "reach child processes",
    )
    target = await build_target(spec, container) if spec.hooks else None
    children = Children(wiring)
    named, catch_all = {}, None
    for handler in spec.handlers:
        codecs = codec_of(handler.payload), codec_of(handler.result)
        runner = IsolatedRunner(children, *codecs)
        if handler.name is None:
            catch_all = runner
        else:
            named[handler.name.encode()] = runner
    return Work(spec, target, named, catch_all, children)


def raised_at(error: BaseException) -> str:
    """Return where an error was raised, as ``shop/mail.py:12``."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    path = Path(frames[-1].filename)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{shown}:{frames[-1].lineno}"


async def build_target(spec: ProcessorSpec, container: Container) -> object:
    """Construct a processor; a function is there already.

    Raises:
        DeclarationError: A parameter that cannot be injected.
        StartError: A provider or the constructor raised.
    """
    if not isinstance(spec.target, type):
        return spec.target
    with told_as_start_error(spec.title):
        return await container.construct(spec.target)


@contextmanager
def told_as_start_error(what: str) -> Iterator[None]:
    """Say whose wiring raised what is no error of the framework's.

    Raises:
        StartError: A provider or the constructor raised.
    """
    try:
        yield
    except FrameworkError:
        raise
    except Exception as error:
        raise StartError(what, raised_at(error), error) from error


async def build_work(
    spec: ProcessorSpec, container: Container, limiter: CapacityLimiter | None
) -> Work:
    """Construct a processor and compile its handlers, to run in the loop or in threads."""

    def call_of(function: Callable[..., Any], *, is_async: bool) -> Call:
        if limiter is None:
            return in_loop(function, is_async=is_async)
        return in_thread(function, limiter)

    runners = await build_runners(spec, container, call_of)
    return Work(spec, *runners)


async def build_runners(
    spec: ProcessorSpec, container: Container, call_of: CallOf
) -> tuple[object, dict[bytes, Runner], Runner | None]:
    """Construct a processor and compile its handlers.

    Returns:
        The instance, the handlers by job name, and the one for all other names.

    Raises:
        DeclarationError: A parameter that cannot be injected.
        StartError: A provider or the constructor raised.
    """
    target = await build_target(spec, container)
    named, catch_all = {}, None
    for handler in spec.handlers:
        with told_as_start_error(spec.title):
            plan = await container.compile(handler.request([context_for(spec.runs)]))
        function: Any = getattr(target, handler.attribute) if handler.attribute else target
        call = call_of(function, is_async=handler.is_async)
        runner = Runner(call, plan, codec_of(handler.payload), codec_of(handler.result))
        if handler.name is None:
            catch_all = runner
        else:
            named[handler.name.encode()] = runner
    return target, named, catch_all
