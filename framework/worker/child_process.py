"""One child process: its start, its jobs one after the other, its end."""

import asyncio  # noqa: TID251 - its streams take a pipe that is there
import json
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import anyio
import structlog
from anyio.abc import Process, TaskGroup

from framework.errors import ProcessCrashedError, ProcessStartError
from framework.worker.frames import Link, LinkEndedError, Message

log = structlog.get_logger("framework.children")

# How long a child that was told to end may take before it is killed.
GRACE_SECONDS = 1.5
# How long a child may take to import and build what it runs.
START_SECONDS = 120.0
# What is told of a crash: so many lines, the last that were printed.
MOST_LINES = 60
MOST_LINE = 10_000
# How long to wait for what a dead child printed; what it started may hold the pipe.
PRINTED_SECONDS = 0.5

# What is importable here is so there; the title is for those who list processes.
BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from framework.app.child import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)

Answer = Callable[[Message], Awaitable[Message]]


class NeverBegunError(Exception):
    """The child was gone before it began the job."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a child is told first.

    Attributes:
        title: The processor's full name.
        queue: Its queue.
        message: All that the child needs to build it.
    """

    title: str
    queue: str
    message: Message


class ChildProcess:
    """A process that runs jobs of one processor, one at a time."""

    def __init__(self, wiring: Wiring, process: Process, link: Link, printed: int) -> None:
        self._wiring = wiring
        self._process = process
        self._link = link
        self._printed = printed
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._silence = anyio.Event()
        self._job: str | None = None
        self.served = 0

    @classmethod
    async def start(cls, wiring: Wiring, tasks: TaskGroup) -> Self:
        """Start a child and wait until it can run jobs.

        Raises:
            ProcessStartError: It could not be wired, or ended.
        """
        ours, theirs = socket.socketpair()
        printed, prints = os.pipe()
        paths = json.dumps([path or str(Path.cwd()) for path in sys.path])
        errors = os.dup(2)
        command = [sys.executable, "-u", "-c", BOOT, paths, str(theirs.fileno()), str(errors)]
        try:
            process = await anyio.open_process(
                [*command, wiring.title],
                stdin=subprocess.DEVNULL,
                stdout=prints,
                stderr=prints,
                start_new_session=True,
                pass_fds=(theirs.fileno(), errors),
            )
        except BaseException:
            ours.close()
            os.close(printed)
            raise
        finally:
            theirs.close()
            os.close(prints)
            os.close(errors)
        child = cls(wiring, process, await Link.over(ours), printed)
        tasks.start_soon(child._listen)
        try:
            await child._wire()
        except BaseException:
            await child.end()
            raise
        return child

    async def _wire(self) -> None:
        try:
            await self._link.send(self._wiring.message)
            with anyio.fail_after(START_SECONDS):
                told = await self._link.receive()
        except TimeoutError:
            problem = f"it was not ready within {START_SECONDS:g} s"
            raise ProcessStartError(self._wiring.title, problem, "\n".join(self._lines)) from None
        except LinkEndedError:
            crash = await self._crash()
            raise ProcessStartError(self._wiring.title, str(crash), crash.trace) from None
        if told.kind != "ready":
            raise ProcessStartError(self._wiring.title, told.facts["text"], told.facts["trace"])

    async def run(self, job: Message, answer: Answer, begin: Callable[[], None]) -> Message:
        """Run a job; answer what it asks, and return how it ended; ``begin``: as it begins.

        Raises:
            NeverBegunError: The child was gone already.
            ProcessCrashedError: It ended in the middle.
        """
        self._job = job.facts["id"]
        self._lines.clear()
        has_begun = False
        try:
            await self._link.send(job)
            while True:
                told = await self._link.receive()
                if told.kind == "ask":
                    await self._link.send(await answer(told))
                elif told.kind == "began":
                    has_begun = True
                    begin()
                else:
                    break
        except LinkEndedError:
            crash = await self._crash()
            if not has_begun and self.served:
                raise NeverBegunError from crash
            raise crash from None
        self._job = None
        self.served += 1
        return told

    async def _crash(self) -> ProcessCrashedError:
        """Return what ended the process; its link is gone, so it is ended if it is not dead."""
        await self.end()
        with anyio.move_on_after(PRINTED_SECONDS):
            await self._silence.wait()
        code = self._process.returncode or 0
        by = signal.Signals(-code).name if code < 0 else None
        return ProcessCrashedError(code if code >= 0 else None, by, "\n".join(self._lines))

    async def end(self) -> None:
        """End it: told first, killed when it does not listen. Returns once it is gone."""
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(GRACE_SECONDS):
                with suppress(LinkEndedError):
                    await self._link.send(Message("end"))
                await self._process.wait()
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    # Its session: what the handler started must not go on without it.
                    os.killpg(self._process.pid, signal.SIGKILL)
                await self._process.wait()
            self._link.close()
            await self._process.aclose()

    async def _listen(self) -> None:
        """Write what the child prints into the log."""
        reader = asyncio.StreamReader()
        pipe = os.fdopen(self._printed, "rb", 0)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        rest = b""
        try:
            while chunk := await reader.read(65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._tell(line)
                if len(rest) > MOST_LINE:
                    self._tell(rest)
                    rest = b""
            if rest:
                self._tell(rest)
        finally:
            self._silence.set()
            transport.close()

    def _tell(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()[:MOST_LINE]
        if not text:
            return
        self._lines.append(text)
        running = {"job": self._job} if self._job is not None else {}
        log.info("printed", text=text, queue=self._wiring.queue, pid=self._process.pid, **running)
