"""One worker process, as its supervisor sees it. Light to import: it starts the first of them."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from framework.app.stacks import telling

CHUNK = 1 << 20
SEASONED_SECONDS = 60.0
# A process whose loop has not turned for so long has written its stacks, or is about to.
STILL_SECONDS = 3.0
# How much of the stacks that a process wrote is looked at, from their end.
MOST_WRITTEN = 1 << 18


@dataclass(frozen=True, slots=True)
class Errand:
    """What worker processes run.

    Attributes:
        package: The package.
        only: The subpackages and queues that run alone.
        exclude: The subpackages that are not imported, and the queues that do not run.
    """

    package: str
    only: Sequence[str] = ()
    exclude: Sequence[str] = ()


@dataclass(slots=True)
class Holder:
    """What one worker of a process told.

    Attributes:
        prefix: Of its keys.
        queue: Its queue.
        worker: The uuid that its tokens begin with.
        lock_ms: How long its locks hold.
        held: The jobs whose locks are to be renewed, with the numbers of their tokens.
    """

    prefix: str
    queue: str
    worker: str
    lock_ms: int
    held: dict[str, str] = field(default_factory=dict[str, str])

    def pairs(self) -> list[tuple[str, str]]:
        """Return the held jobs with their tokens."""
        return [(job_id, f"{self.worker}:{number}") for job_id, number in self.held.items()]


class WorkerProcess:
    """Starts a worker process, in a session of its own: signals reach it through us alone.

    Args:
        errand: What it runs.
        index: Which of the processes it is, from 1.
    """

    def __init__(self, errand: Errand, index: int) -> None:
        self.index = index
        self.began = time.monotonic()
        self.spoke = self.began
        self.sought = 0.0
        self.loop_age = 0.0
        self.served = 0
        self.memory = 0
        self.is_ready = False
        self.is_retired = False
        self.was_told_blocked = False
        self.code: int | None = None
        self.holders: list[Holder] = []
        self.answers: dict[str, tuple[int, dict[str, object]]] = {}
        self.last_stacks = ""
        self._heard = b""
        self._orders = b""
        self._stacks = scratch_file()
        self.ears, mouth = os.pipe()
        ears, self._mouth = os.pipe()
        for end in (self.ears, self._mouth):
            os.set_blocking(end, False)
        widen(mouth)
        ends = (ears, mouth, self._stacks.fileno())
        command = [sys.executable, "-m", "framework.cli.work", errand.package]
        command += [str(index), ",".join(map(str, ends))]
        command += [",".join(errand.only), ",".join(errand.exclude)]
        environment = {**os.environ}
        environment.pop("NOTIFY_SOCKET", None)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.DEVNULL,
                pass_fds=ends,
                env=environment,
                start_new_session=True,
            )
        except OSError:
            self.close()
            raise
        finally:
            os.close(ears)
            os.close(mouth)
        self.pid = self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.code is None

    @property
    def ending(self) -> str:
        """How it ended, for people."""
        if self.code is not None and self.code < 0:
            with suppress(ValueError):
                return f"killed by {signal.Signals(-self.code).name}"
        return f"exit code {self.code}"

    @property
    def has_worked(self) -> bool:
        """Whether it has ended a job."""
        return self.served > 0

    @property
    def is_seasoned(self) -> bool:
        """Whether it took jobs for so long that its start was no failure, though none came."""
        return self.is_ready and time.monotonic() - self.began > SEASONED_SECONDS

    @property
    def blocked_for(self) -> float:
        """For how many seconds its event loop has not turned, or nothing of it was heard."""
        silence = time.monotonic() - self.spoke
        return max(self.loop_age, silence) if self.is_ready else 0.0

    @property
    def silent_for(self) -> float:
        """For how many seconds nothing was heard: not even its threads run."""
        return time.monotonic() - self.spoke if self.is_ready else 0.0

    def excuse(self, seconds: float) -> None:
        """Take back so much of its silence: it was not listened to."""
        self.spoke = min(time.monotonic(), self.spoke + seconds)

    def wait(self) -> int:
        """Wait for its end and return its exit code; only where nobody else reaps children."""
        return self._process.wait()

    def has_ended(self, status: int) -> None:
        """Note how it ended; whoever reaps children tells."""
        self.code = self._process.returncode = os.waitstatus_to_exitcode(status)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.is_running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def hear(self) -> bool:
        """Take in what it has said; return whether it may say more."""
        while True:
            try:
                chunk = os.read(self.ears, CHUNK)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self.spoke = time.monotonic()
            *lines, self._heard = (self._heard + chunk).split(b"\n")
            for line in lines:
                self._heed(json.loads(line))

    def _heed(self, message: dict[str, Any]) -> None:
        """Take in one message of `Tether`."""
        if "workers" in message:
            self.holders = [Holder(*told) for told in message["workers"]]
        for holder, jobs in zip(self.holders, message.get("held", ()), strict=False):
            holder.held = jobs
        if "life" in message:
            self.loop_age, self.served, self.memory = message["life"]
        self.answers = message.get("answers", self.answers)
        self.is_ready = self.is_ready or "ready" in message

    def tell_renewed(self, lost: Sequence[tuple[int, str, str, str]]) -> None:
        """Tell it that its locks were renewed, but for those that are lost."""
        # One that does not listen hears a later round; what it lost Redis tells it anyway.
        with suppress(OSError):
            self._flush()
            self._orders = json.dumps({"lost": lost}).encode() + b"\n"
            self._flush()

    def _flush(self) -> None:
        while self._orders:
            self._orders = self._orders[os.write(self._mouth, self._orders) :]

    def take_stacks(self) -> str:
        """Return what its interpreter wrote as it stood still or crashed, and forget it."""
        if self._stacks.closed:
            return self.last_stacks
        file = self._stacks.fileno()
        start = max(0, os.fstat(file).st_size - MOST_WRITTEN)
        written = os.pread(file, MOST_WRITTEN, start).decode(errors="replace")
        os.ftruncate(file, 0)
        text = telling(written, is_still=self.blocked_for > STILL_SECONDS)
        self.last_stacks = text or self.last_stacks
        return text

    def close(self) -> None:
        """Let go of what tied it to us; it has ended."""
        os.close(self.ears)
        os.close(self._mouth)
        self._stacks.close()


def scratch_file() -> IO[bytes]:
    """Open a file to append to; in memory where that can be: disks may be full, or read-only."""
    if sys.platform != "linux":
        return tempfile.TemporaryFile("ab+")
    descriptor = os.memfd_create("stacks")
    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)
    return os.fdopen(descriptor, "ab+")


def widen(pipe: int) -> None:
    """Make room for what a busy worker tells between two looks, where the system lets us."""
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, CHUNK)
