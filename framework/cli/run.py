"""``framework run``: worker processes under a supervisor, or the workers in this very process.

The first worker process starts before this one imports anything that takes long.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial

from framework.app.worker_process import Errand, WorkerProcess
from framework.cli.lifeline import tied_to_parent
from framework.errors import ServerError, SettingsError

# How long the first process may have the machine for itself, and how soon signals are heeded.
BEGIN_SECONDS = 1.0
LOOK_SECONDS = 0.05


def run_package(
    package: str,
    *,
    only: Sequence[str],
    exclude: Sequence[str],
    processes: int = 1,
    max_jobs: int | None = None,
    max_rss: int | None = None,
    health_port: int | None = None,
) -> int:
    """Run the workers of a package until SIGINT or SIGTERM, and return the exit code.

    Args:
        only: The subpackages and queues that run alone.
        exclude: The subpackages that are not imported, and the queues that do not run.
        processes: In how many processes, under a supervisor; 0: in this one, without.
        max_jobs: Replace a process after so many jobs.
        max_rss: Replace a process that has so many MiB of memory.
        health_port: Where to answer probes; None: where the settings say, if they do.

    Raises:
        FrameworkError: As `Application` and `Application.work`; nothing to run;
            the port is taken.
    """
    if health_port is not None:
        os.environ["FRAMEWORK_HEALTH_PORT"] = str(health_port)
    if processes == 0:
        from framework.cli.work import work_package

        work_package(package, only=only, exclude=exclude)
        return 0
    start = partial(WorkerProcess, Errand(package, only, exclude))
    early: list[signal.Signals] = []

    def note(number: int, _: object) -> None:
        early.append(signal.Signals(number))

    # As the first process of a container we would not even end by these.
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, note)
    # First of all: what ties us to a parent must not reach the worker, which is tied to us.
    with tied_to_parent():
        first = start(1)
        try:
            if processes == 1:
                let_begin(first, early)
            limits = {"max_jobs": max_jobs, "max_rss": max_rss}
            return supervise(start, first, processes, early, **limits)
        except ServerError:
            first.send(signal.SIGKILL)
            raise


def let_begin(first: WorkerProcess, early: Sequence[signal.Signals]) -> None:
    """Leave the machine to the first process until it speaks or ends, for a second at most.

    What this one needs to watch over it takes as long to import as half of what that one needs:
    where both do so at once on two cores, the workers take jobs later.
    """
    deadline = time.monotonic() + BEGIN_SECONDS
    while not early and time.monotonic() < deadline:
        if select.select([first.ears], (), (), LOOK_SECONDS)[0]:
            return


def supervise(
    start: Callable[[int], WorkerProcess],
    first: WorkerProcess,
    processes: int,
    early: Sequence[signal.Signals],
    *,
    max_jobs: int | None,
    max_rss: int | None,
) -> int:
    """Supervise worker processes until stopped, and return the exit code."""
    import framework.cli.garbage  # before all that makes many objects
    import framework.cli.lean  # before all that imports structlog

    # isort: split
    import anyio

    from framework.app.health_server import probes_of
    from framework.app.logs import set_up_logs
    from framework.app.lookout import Limits
    from framework.app.settings import load_settings
    from framework.app.supervisor import Supervisor
    from framework.app.systemd import Systemd

    try:
        settings = load_settings()
        set_up_logs(settings)
        limits = Limits(max_jobs, None if max_rss is None else max_rss << 20)
        supervisor = Supervisor(start, processes, settings, limits, Systemd())
        framework.cli.garbage.settle()
        with probes_of(supervisor.answer, settings):
            return anyio.run(supervisor.run, first, early)
    except SettingsError:
        return first.wait()  # it says what is wrong, for both
