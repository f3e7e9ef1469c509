"""What a worker process does: discover, wire, work until a signal, drain."""

import framework.cli.garbage  # before all that makes many objects
import framework.cli.lean  # noqa: F401 - before all that imports structlog

# isort: split
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import anyio
import structlog
from anyio.abc import TaskGroup

from framework.app.application import Application
from framework.app.discovery import Declarations, discover
from framework.app.logs import set_up_logs
from framework.app.portal_view import has_uvloop
from framework.app.settings import load_settings
from framework.cli.endings import clear_endings
from framework.cli.garbage import settle
from framework.cli.lifeline import tied_to_parent
from framework.errors import DiscoveryError
from framework.worker.tether import Tether

log = structlog.get_logger("framework.run")

# How long a thread whose job was given back may take to end.
THREAD_SECONDS = 0.5
MOST_NAMES = 10


def work_package(
    package: str,
    *,
    only: Sequence[str],
    exclude: Sequence[str],
    worker: int | None = None,
    tether: Tether | None = None,
    stacks: int | None = None,
) -> None:
    """Work in this process until a signal.

    Args:
        worker: Which process of a supervisor's this is; its log lines say so.
        tether: What ties it to the supervisor.
        stacks: A file for the stacks of an interpreter that stands still or crashes.

    Raises:
        FrameworkError: As `Application` and `Application.work`; nothing to run.
    """
    settings = load_settings()
    set_up_logs(settings, worker=worker)
    declarations = discover(package, only=only, exclude=exclude)
    check_something_runs(declarations)
    if tether is not None and "exit_when_stuck" not in settings.model_fields_set:
        settings.exit_when_stuck = True  # there is somebody who starts this process anew
    application = Application(declarations, settings=settings)
    if tether is not None and stacks is not None:
        application.tie(tether, stacks)
    with tied_to_parent(), probes_or_reports(application, tether):
        ready = tether.ready if tether is not None else None
        uvloop = {"use_uvloop": has_uvloop()}
        anyio.run(work_until_signal, application, ready, backend_options=uvloop)
    leave_threads_behind()


def probes_or_reports(
    application: Application, tether: Tether | None
) -> AbstractContextManager[object]:
    """Answer probes, where a port is set for them; a supervisor does with what it is told."""
    settings = application.settings
    if settings.health_port is None:
        return nullcontext()
    from framework.app.health_server import probes_of
    from framework.app.own_answers import answers_of
    from framework.app.process_answers import PATHS

    application.vitals.is_probed = True
    answers = answers_of(application.vitals, settings.live_timeout.total_seconds())
    if tether is None:
        return probes_of(answers, settings)
    tether.report = lambda: {path: answers(path) for path in PATHS}
    return nullcontext()


def check_something_runs(declarations: Declarations) -> None:
    """Refuse to run no processor: it would look alive and do nothing.

    Raises:
        DiscoveryError: It lists what was searched.
    """
    if declarations.selected:
        return
    if declarations.processors:
        queues = ", ".join(one.queue for one in declarations.processors)
        raise DiscoveryError(
            f"--only and --exclude leave no processor to run (queues: {queues})",
            fix="name others, or none",
        )
    searched = ", ".join(declarations.modules[:MOST_NAMES])
    if len(declarations.modules) > MOST_NAMES:
        searched += f" and {len(declarations.modules) - MOST_NAMES} more"
    skipped = (
        f" Not searched, since __init__.py is missing: {', '.join(declarations.skipped)}."
        if declarations.skipped
        else ""
    )
    raise DiscoveryError(
        f'no processor in package "{declarations.package}". Searched: {searched}.{skipped}',
        fix='put @processor("queue") on a class with process(self, job: Job[...]) in one of them',
    )


async def work_until_signal(
    application: Application, on_ready: Callable[[], None] | None = None
) -> None:
    """Work; the first signal drains, a second one gives running jobs back at once.

    Args:
        on_ready: Called once all workers take jobs.
    """
    async with application, anyio.create_task_group() as tasks:
        stopping = anyio.Event()
        await tasks.start(stop_on_signals, application, stopping)
        tasks.start_soon(tell_when_ready, application, tasks, stopping, on_ready)


async def tell_when_ready(
    application: Application,
    tasks: TaskGroup,
    stopping: anyio.Event,
    on_ready: Callable[[], None] | None,
) -> None:
    """Run the workers and say when they take jobs."""
    async with anyio.create_task_group() as working:
        await working.start(application.work)
        settle()
        if on_ready is not None:
            on_ready()
        for spec in () if stopping.is_set() else application.declarations.selected:
            log.info(
                "worker ready",
                queue=spec.queue,
                concurrency=spec.concurrency,
                processor=spec.title,
                redis=application.store.address.name,
            )
    log.info("stopped")
    tasks.cancel_scope.cancel()


async def stop_on_signals(
    application: Application, stopping: anyio.Event, *, task_status: anyio.abc.TaskStatus[None]
) -> None:
    """Stop the application on SIGINT and SIGTERM."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        is_first = True
        async for received in signals:
            running = application.running
            log.info(
                "stopping" if is_first else "stopping now",
                signal=received.name,
                running=running,
                waits=f"{application.settings.shutdown_timeout.total_seconds():g} s at most"
                if is_first
                else "no more",
            )
            stopping.set()
            application.stop(now=not is_first)
            is_first = False


def leave_threads_behind() -> None:
    """End although a handler's thread does not: its job was given back and may run elsewhere."""
    left = [one for one in threading.enumerate() if one is not threading.main_thread()]
    for thread in left:
        if not thread.daemon:
            thread.join(THREAD_SECONDS)
    names = [one.name for one in left if one.is_alive() and not one.daemon]
    if names:
        log.warning("handlers still run in threads; ended without them", threads=len(names))
        logging.shutdown()
        os._exit(0)


def main() -> None:
    """Work as a supervisor says, in the words of `WorkerProcess`."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    package, index, ends, only, exclude = sys.argv[1:]
    ears, mouth, stacks = map(int, ends.split(","))
    faulthandler.enable(stacks)  # imports may crash too
    with clear_endings():
        work_package(
            package,
            only=only.split(",") if only else (),
            exclude=exclude.split(",") if exclude else (),
            worker=int(index),
            tether=Tether(ears, mouth),
            stacks=stacks,
        )


if __name__ == "__main__":
    main()
