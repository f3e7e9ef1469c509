"""What happens to the processes of workers."""

import shlex
from signal import Signals

from framework.errors.base import FrameworkError


class StartError(FrameworkError):
    """A provider or a constructor raised while the workers started.

    Args:
        what: What was being made.
        where: Where it was raised.
        cause: What was raised.
    """

    def __init__(self, what: str, where: str, cause: BaseException) -> None:
        super().__init__(what, where, cause)
        self.what = what
        self.where = where
        self.cause = cause

    def __str__(self) -> str:
        told = f"{type(self.cause).__name__}: {self.cause}".rstrip(": ")
        return f"{self.where}: what {self.what} needs could not be made: {told}"


class ProcessStartError(StartError):
    """A child process could not begin to run jobs.

    Args:
        what: The processor.
        problem: What it said, or how it ended.
        trace: What it printed last.
    """

    def __init__(self, what: str, problem: str, trace: str = "") -> None:
        FrameworkError.__init__(self, what, problem, trace)
        self.what = what
        self.problem = problem
        self.trace = trace

    def __str__(self) -> str:
        return f"no process for {self.what} could be started: {self.problem}"


class ProcessCrashedError(FrameworkError):
    """The child process that ran a job ended in the middle of it.

    Args:
        exit_code: Its exit code; None if a signal ended it.
        signal_name: The signal, such as ``SIGKILL``; None if it ended by itself.
        trace: What it printed last.
    """

    def __init__(self, exit_code: int | None, signal_name: str | None, trace: str = "") -> None:
        super().__init__(exit_code, signal_name, trace)
        self.exit_code = exit_code
        self.signal_name = signal_name
        self.trace = trace

    @property
    def cause(self) -> str:
        """What ended it: ``exit code 3``, or ``signal 9 SIGKILL`` and what that may mean."""
        if self.signal_name is None:
            return f"exit code {self.exit_code}"
        hint = " (out of memory?)" if self.signal_name == "SIGKILL" else ""
        return f"signal {Signals[self.signal_name].value} {self.signal_name}{hint}"

    def __str__(self) -> str:
        if self.signal_name is None:
            return f"the process that ran the job ended with exit code {self.exit_code}"
        hint = " (out of memory?)" if self.signal_name == "SIGKILL" else ""
        return f"the process that ran the job was ended by {self.signal_name}{hint}"


class JobQuarantinedError(FrameworkError):
    """A job ended the process that ran it as often as `max_crashes` says; it runs no more.

    Args:
        job_id: The job.
        queue: The queue's name.
        crashes: How often it did, or its worker died while it ran.
        last: How the last one ended, in which it ran alone.
    """

    def __init__(self, *, job_id: str, queue: str, crashes: int, last: ProcessCrashedError) -> None:
        super().__init__(job_id, queue, crashes, last)
        self.job_id = job_id
        self.queue = queue
        self.crashes = crashes
        self.last = last

    @property
    def trace(self) -> str:
        """What its last process printed last."""
        return self.last.trace

    @property
    def command(self) -> str:
        """What puts it back in line."""
        return shlex.join(["framework", "jobs", "rescue", self.queue, self.job_id])

    def __str__(self) -> str:
        times = "once" if self.crashes == 1 else f"{self.crashes} times"
        return (
            f"quarantined: killed its process {times} (last: {self.last.cause}); "
            f"once mended: {self.command}"
        )


class StuckError(FrameworkError):
    """Jobs wait and slots are free, but the workers of this process take nothing."""

    def __str__(self) -> str:
        return "jobs wait and slots are free, but nothing was fetched; start this process anew"
