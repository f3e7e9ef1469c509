"""From a declared processor to what a worker runs."""

import traceback
from collections.abc import Sequence
from pathlib import Path

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


async def make_work(spec: ProcessorSpec, container: Container) -> Work:
    """Construct a processor and compile its handlers.

    Raises:
        DeclarationError: A parameter that cannot be injected.
        StartError: A provider or the constructor raised.
    """
    try:
        return await build_work(spec, container)
    except FrameworkError:
        raise
    except Exception as error:
        raise StartError(spec.title, raised_at(error), error) from error


def raised_at(error: BaseException) -> str:
    """Return where an error was raised, as ``shop/mail.py:12``."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    path = Path(frames[-1].filename)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{shown}:{frames[-1].lineno}"


async def build_work(spec: ProcessorSpec, container: Container) -> Work:
    """Do what `make_work` says, and let errors pass."""
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
