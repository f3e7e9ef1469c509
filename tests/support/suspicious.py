# ruff: noqa: ANN401, ASYNC110, ASYNC240, SLF001 - they return what the act yields, and misbehave
"""Processors whose jobs end their process: children import this module by its name."""

import faulthandler
import os
import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
from pydantic import BaseModel

from framework import Context, Failed, Job, SyncContext, on_event, processor

HEARD: list[tuple[Failed[Any], int]] = []


class Deed(BaseModel):
    """What to do, and with what."""

    act: str = "pid"
    path: str = ""


def end_process(act: str) -> None:
    match act:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            faulthandler._sigsegv()  # type: ignore[attr-defined]
        case "exit":
            os._exit(3)


@processor("deeds", concurrency=4)
class Deeds:
    """Async, so its suspects run in the loop of a child."""

    async def process(self, job: Job[Deed], ctx: Context) -> Any:
        print("at it", flush=True)  # noqa: T201
        end_process(job.data.act)
        match job.data.act:
            case "wait":
                path = Path(job.data.path)
                path.write_text(str(os.getpid()))
                while not path.with_suffix(".go").exists():
                    await anyio.sleep(0.01)
            case "save":
                await ctx.save(job, Deed(act="pid"))
                os._exit(3)
            case "leave":
                await ctx.progress(50)
                if job.attempts_started == 1:
                    await ctx.delay_for(timedelta(milliseconds=10))
            case "leave a bomb":
                threading.Timer(0.1, end_process, ["exit"]).start()
            case "take long":
                await anyio.sleep(0.3)
        return os.getpid()

    @on_event("failed")
    async def failed(self, event: Failed[Deed]) -> None:
        HEARD.append((event, os.getpid()))


@processor("chores", run_in="thread", max_crashes=5)
class Chores:
    def process(self, job: Job[Deed], ctx: SyncContext) -> Any:
        ctx.log("begun")
        end_process(job.data.act)
        return os.getpid()


@processor("errands", max_crashes=None)
async def run_errand(job: Job[Deed]) -> Any:
    end_process(job.data.act)
    return os.getpid()
