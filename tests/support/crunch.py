# ruff: noqa: ANN401, SLF001, S607, T201 - its handlers return what the act yields, and misbehave
"""Processors that run in child processes: those import this module by its name."""

import faulthandler
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from framework import Completed, Job, SyncContext, handles, on_event, processor, provider
from framework.app.settings import Settings
from framework.client.sync_producer import SyncProducer
from framework.errors import LockLostError, UnrecoverableError
from framework.model.events import Progressed

HEARD: list[object] = []


class Order(BaseModel):
    """What to do, and with what."""

    act: str = "pid"
    path: str = ""
    seconds: float = 0.0


class Echo(BaseModel):
    text: str


class DeclinedError(UnrecoverableError):
    """No retry helps."""


class Notebook:
    def __init__(self, path: str) -> None:
        self.path = path

    def note(self, text: str) -> None:
        with Path(self.path).open("a") as file:
            file.write(f"{text}\n")


@provider(scope="job")
def notebook(ctx: SyncContext) -> Iterator[Notebook]:
    book = Notebook(os.environ.get("CRUNCH_NOTES", os.devnull))
    try:
        yield book
    except BaseException as error:
        book.note(f"rolled back: {type(error).__name__}")
        raise
    book.note("committed")


@processor("crunch", run_in="process", concurrency=2)
class Crunch:
    def __init__(self, settings: Settings, echoes: SyncProducer[Echo, str]) -> None:
        self.prefix = settings.prefix
        self.echoes = echoes
        self.pid = os.getpid()
        self.served = 0

    def process(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        self.served += 1
        return getattr(self, job.data.act)(job, ctx, book)

    def pid_and_served(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        return [self.pid, self.served]

    def wait(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        path = Path(job.data.path)
        path.touch()
        ends = time.monotonic() + job.data.seconds
        while time.monotonic() < ends and not path.with_suffix(".go").exists():
            time.sleep(0.01)
        return self.pid

    def work_out(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        ctx.progress({"percentage": 50})
        ctx.log("half way")
        ctx.stream("half a result")
        saved = ctx.save(job, Order(act="saved"))
        print("printed aloud")
        print("and on stderr", file=sys.stderr)
        return [saved.data.act, ctx.attempt, ctx.job_id, self.prefix]

    def tell_token(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        Path(job.data.path).write_text(ctx.token)
        while not Path(job.data.path).with_suffix(".go").exists():
            time.sleep(0.01)

    def step_twice(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        first = ctx.step("pid", os.getpid)
        if ctx.attempt == 1:
            raise ValueError("once more")
        return first == self.pid

    def fail(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        raise ValueError("no good")

    def decline(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        raise DeclinedError("declined")

    def leave_by_exit(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        print("about to leave", file=sys.stderr)
        os._exit(3)

    def be_killed(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    def segfault(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        faulthandler._sigsegv()  # type: ignore[attr-defined]

    def raise_exit(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        sys.exit(7)

    def crash_once(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        if ctx.attempt == 1:
            os._exit(1)
        return ctx.attempt

    def return_nonsense(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        return object()

    def park(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        if job.data.path != "again":
            ctx.save(job, Order(act="park", path="again"))
            ctx.delay_for(timedelta(milliseconds=20))
        return "after the delay"

    def gather(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        if not ctx.children_values():
            self.echoes.add(Echo(text="from below"), parent=job)
        ctx.wait_for_children()
        counts = ctx.dependencies_count()
        return [*ctx.children_values(str).values(), counts.processed, ctx.failed_children()]

    def lose_the_lock(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        Path(job.data.path).touch()
        try:
            while True:
                ctx.save(job, job.data)
                time.sleep(0.01)
        except LockLostError as error:
            Path(f"{job.data.path}.lost").write_text(str(error))
            raise

    def ignore_the_end(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        Path(job.data.path).touch()
        while True:
            try:
                time.sleep(60)
            except SystemExit:
                Path(f"{job.data.path}.told").write_text(str(ctx.cancelled))

    def leave_a_process(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        with subprocess.Popen(["sleep", "60"]) as sleeping:
            Path(job.data.path).write_text(str(sleeping.pid))
            while True:
                try:
                    sleeping.wait()
                except SystemExit:
                    continue

    def come_to_a_checkpoint(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        path = Path(job.data.path)
        if path.exists():
            return "after the hold"
        path.touch()
        while not ctx.pausing:
            time.sleep(0.01)
        ctx.checkpoint()
        return "not held"

    def in_the_main_thread(self, job: Job[Order], ctx: SyncContext, book: Notebook) -> Any:
        return threading.current_thread() is threading.main_thread()


@processor("echoes")
class Echoes:
    async def process(self, job: Job[Echo]) -> str:
        return job.data.text


@processor("heard", run_in="process")
class Heard:
    """Its hooks run in the worker, its handler in a child."""

    @handles("pid")
    def pid(self, job: Job[list[int]], ctx: SyncContext) -> int:
        ctx.progress(len(job.data))
        return os.getpid()

    @on_event("completed")
    async def completed(self, event: Completed[list[int], int]) -> None:
        HEARD.append((event.result, os.getpid()))

    @on_event("progress")
    async def progressed(self, event: Progressed[list[int]]) -> None:
        HEARD.append(event.progress)
