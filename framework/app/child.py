"""What runs in a child process: a processor wired anew, and a loop beside its main thread."""

import faulthandler
import os
import socket
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal, start_blocking_portal

from framework.app.application import Application
from framework.app.discovery import Declarations
from framework.app.logs import set_up_logs
from framework.app.settings import Settings
from framework.app.wiring import rewire
from framework.app.work import CallOf, build_runners
from framework.declare.mark import RunIn
from framework.declare.spec import ProcessorSpec
from framework.errors import ProcessorError
from framework.model.job import Token
from framework.wire.failure import reason_of, trace_of
from framework.wire.job_hash import StoredJob
from framework.worker.carrying import failed_message, job_facts, parked_message
from framework.worker.child_process import GRACE_SECONDS
from framework.worker.child_run import ChildRun, Questions
from framework.worker.current import CURRENT
from framework.worker.frames import Link, LinkEndedError, Message
from framework.worker.leaving import failure_of, park_of
from framework.worker.main_thread import MainThread
from framework.worker.runner import Call, Runner, in_loop


def main(link: int, errors: int) -> None:
    """Run jobs until told to end, or until the worker is gone.

    Args:
        link: The socket to the worker.
        errors: Where the worker's own log goes.
    """
    os.set_inheritable(link, False)
    os.set_inheritable(errors, False)
    faulthandler.enable(all_threads=False)
    main_thread = MainThread()
    main_thread.listen()
    with start_blocking_portal() as portal:
        child = Child(main_thread, portal, errors)
        portal.start_task_soon(child.live, socket.socket(fileno=link))
        main_thread.work()


@dataclass(frozen=True, slots=True)
class Runners:
    """A processor's handlers: by job name, and for all other names."""

    named: dict[bytes, Runner]
    catch_all: Runner | None


class Child:
    """The loop's side of a child.

    Args:
        main_thread: Where handlers run.
        portal: The way from there into the loop.
        errors: Where the log goes.
    """

    def __init__(self, main_thread: MainThread, portal: BlockingPortal, errors: int) -> None:
        self._main_thread = main_thread
        self._portal = portal
        self._errors = errors
        self._run: ChildRun | None = None
        self._handling: anyio.CancelScope | None = None

    async def live(self, end: socket.socket) -> None:
        """Wire the processor, tell so, and run jobs one after the other."""
        link = await Link.over(end)
        try:
            wiring = await link.receive()
            await self._wire_and_serve(link, wiring.facts)
        except LinkEndedError:
            pass
        finally:
            link.close()
            self._main_thread.close()

    async def _wire_and_serve(self, link: Link, facts: dict[str, Any]) -> None:
        async with AsyncExitStack() as stack:
            try:
                runners = await self._wire(facts, stack)
            except Exception as error:  # told to the worker, whose start it may end
                await link.send(refused(error))
                return
            await link.send(Message("ready"))
            await self._serve(link, runners)

    async def _wire(self, facts: dict[str, Any], stack: AsyncExitStack) -> Runners:
        wired: list[tuple[ProcessorSpec, Declarations, Settings]] = []
        await self._main_thread.run(lambda: wired.append(rewire(facts)))
        spec, declarations, settings = wired[0]
        set_up_logs(settings, stack.enter_context(os.fdopen(self._errors, "w", buffering=1)))
        app = await stack.enter_async_context(Application(declarations, settings=settings))
        _, named, catch_all = await build_runners(spec, app.container, self._call_of(spec.runs))
        return Runners(named, catch_all)

    def _call_of(self, runs: RunIn) -> CallOf:
        """Return what makes something to await of a handler, as its processor runs."""
        return self._in_loop if runs == "loop" else self._in_main_thread

    def _in_loop(self, function: Callable[..., Any], *, is_async: bool) -> Call:
        """Return a handler as something to await in the loop, until the child is to end."""
        handle = in_loop(function, is_async=is_async)

        async def call(*args: object, **kwargs: object) -> object:
            with anyio.CancelScope() as self._handling:
                return await handle(*args, **kwargs)
            raise LinkEndedError

        return call

    def _in_main_thread(self, function: Callable[..., Any], *, is_async: bool) -> Call:
        """Return a handler as something to await that runs in the main thread."""
        if is_async:
            raise ProcessorError("an async def does not run in a process")

        async def call(*args: object, **kwargs: object) -> object:
            return await self._main_thread.run(partial(function, *args, **kwargs))

        return call

    async def _serve(self, link: Link, work: Runners) -> None:
        questions = Questions(link)
        async with anyio.create_task_group() as tasks:
            try:
                await self._hear(link, work, questions, tasks)
            except LinkEndedError:
                # The worker is gone, and nobody is left to kill what does not listen.
                watch = threading.Timer(GRACE_SECONDS, os._exit, [1])
                watch.daemon = True
                watch.start()
            if self._run is not None:
                self._run.cancel()
            questions.close()
            if self._handling is not None:
                self._handling.cancel()
            self._main_thread.interrupt()

    async def _hear(
        self, link: Link, work: Runners, questions: Questions, tasks: TaskGroup
    ) -> None:
        while True:
            message = await link.receive()
            match message.kind:
                case "job":
                    tasks.start_soon(self._run_job, link, work, questions, message)
                case "answer":
                    questions.hear(message)
                case _:
                    return

    async def _run_job(
        self, link: Link, work: Runners, questions: Questions, message: Message
    ) -> None:
        keys, job_id, fields = job_facts(message)
        runner = work.named.get(fields.get(b"name", b""), work.catch_all)
        if runner is None:
            raise RuntimeError("a job came that no handler takes")
        job: StoredJob[Any, Any] = StoredJob(keys, job_id, fields, (runner.data, runner.result))
        CURRENT.set(job)
        token = Token(message.facts["token"])
        run = self._run = ChildRun(job, token, runner.data, questions, self._portal)
        try:
            await link.send(Message("began"))
            _, text = await runner.run(job, lambda: run)
        except LinkEndedError:
            return
        except BaseException as error:  # whatever a handler raises ends its job, not the child
            ending = ending_of(error)
        else:
            ending = Message("done", parts=(text,))
        run.is_over = True
        self._run = None
        try:
            await link.send(ending)
        except LinkEndedError:
            return


def ending_of(error: BaseException) -> Message:
    """Return how a run ended that raised."""
    park = park_of(error)
    return failed_message(failure_of(error)) if park is None else parked_message(park.wish)


def refused(error: BaseException) -> Message:
    """Word why the processor could not be wired."""
    text = reason_of(error)
    kind = type(error).__name__
    told = text if text.startswith(kind) else f"{kind}: {text}"
    return Message("refused", {"text": told, "trace": trace_of(error)})
