"""``framework run``: the workers of a package in this process, until a signal."""

import logging
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import anyio
import structlog
from anyio.abc import TaskGroup

from framework.app.application import Application
from framework.app.discovery import Declarations, discover
from framework.app.logs import set_up_logs
from framework.app.settings import load_settings
from framework.cli.lifeline import tied_to_parent
from framework.errors import DiscoveryError

log = structlog.get_logger("framework.run")

# How long a thread whose job was given back may take to end.
THREAD_SECONDS = 0.5
MOST_NAMES = 10


def run_package(
    package: str,
    *,
    only: Sequence[str],
    exclude: Sequence[str],
    health_port: int | None = None,
) -> None:
    """Run the workers of a package until SIGINT or SIGTERM.

    Raises:
        FrameworkError: As `Application` and `Application.work`; nothing to run; the port is taken.
    """
    settings = load_settings()
    if health_port is not None:
        settings.health_port = health_port
    set_up_logs(settings)
    declarations = discover(package, only=only, exclude=exclude)
    check_something_runs(declarations)
    application = Application(declarations, settings=settings)
    with tied_to_parent(), probes_of(application):
        anyio.run(work_until_signal, application, backend_options={"use_uvloop": has_uvloop()})
    leave_threads_behind()


def probes_of(application: Application) -> AbstractContextManager[object]:
    """Answer probes while the context is open, where a port is set for them."""
    settings = application.settings
    if settings.health_port is None:
        return nullcontext()
    from framework.app.health_server import answers_of, serving_probes

    application.vitals.is_probed = True
    answers = answers_of(application.vitals, settings.live_timeout.total_seconds())
    return serving_probes(answers, settings.health_host, settings.health_port)


def check_something_runs(declarations: Declarations) -> None:
    """Refuse a package without processors: it would look alive and do nothing.

    Raises:
        DiscoveryError: It lists what was searched.
    """
    if declarations.selected:
        return
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


async def work_until_signal(application: Application) -> None:
    """Work; the first signal drains, a second one gives running jobs back at once."""
    async with application, anyio.create_task_group() as tasks:
        stopping = anyio.Event()
        await tasks.start(stop_on_signals, application, stopping)
        tasks.start_soon(tell_when_ready, application, tasks, stopping)


async def tell_when_ready(
    application: Application, tasks: TaskGroup, stopping: anyio.Event
) -> None:
    """Run the workers and say when they take jobs."""
    async with anyio.create_task_group() as working:
        await working.start(application.work)
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


def has_uvloop() -> bool:
    """Tell whether uvloop is there; it is used where it is."""
    from importlib.util import find_spec

    return find_spec("uvloop") is not None
