"""Our side of an interop test: an application in this process, with or without workers."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from framework import Application, Context, Job, Limiter, Settings, processor
from framework.app.discovery import Declarations
from framework.declare.route import RouteSpec
from framework.declare.spec import resolve
from framework.model.clock import SystemClock

Target = Callable[..., object]
Work = Callable[[Job[Any], Context], Any]

STOP_WITHIN = timedelta(seconds=0.3)


@dataclass(frozen=True)
class Ours:
    """Where our side works: the server and the prefix of the test, and further settings."""

    redis_url: str
    prefix: str
    settings: dict[str, Any] = field(default_factory=dict)

    @asynccontextmanager
    async def producing(self, *routes: RouteSpec) -> AsyncIterator[Application]:
        """Open an application that adds and looks, and runs nothing."""
        async with self._application((), routes) as app:
            yield app

    @asynccontextmanager
    async def working(
        self, *processors: Target, routes: tuple[RouteSpec, ...] = ()
    ) -> AsyncIterator[Application]:
        """Run the workers of `processors`; on the way out they end, what still runs is given back.

        Args:
            processors: Classes and functions under ``@processor``, or from `does`.
            routes: To queues that Node serves.
        """
        failure: Exception | None = None
        async with self._application(processors, routes) as app, anyio.create_task_group() as tasks:
            await tasks.start(app.work)
            try:
                yield app
            except Exception as error:  # raised below, so that no group wraps it
                failure = error
            app.stop()
        if failure is not None:
            raise failure

    @asynccontextmanager
    async def _application(
        self, processors: tuple[Target, ...], routes: tuple[RouteSpec, ...]
    ) -> AsyncIterator[Application]:
        specs = tuple(map(resolve, processors))
        declared = Declarations("tests", processors=specs, selected=specs, routes=routes)
        settings = Settings(
            redis_url=SecretStr(self.redis_url),
            prefix=self.prefix,
            shutdown_timeout=STOP_WITHIN,
            **self.settings,
        )
        async with Application(declared, settings=settings) as app:
            yield app


@dataclass
class Runs:
    """What a processor of ours did: the ids in the order in which jobs began, and when."""

    ids: list[str] = field(default_factory=list)
    at: dict[str, int] = field(default_factory=dict)

    def note(self, job_id: str) -> None:
        self.ids.append(job_id)
        self.at[job_id] = SystemClock().now_ms()


async def echo(job: Job[Any], _: Context) -> Any:  # noqa: ANN401 - JSON
    """Return the job's data."""
    return job.data


def does(
    work: Work = echo,
    *,
    runs: Runs | None = None,
    queue: str = "q",
    concurrency: int = 1,
    lock: timedelta = timedelta(seconds=30),
    stalled: timedelta = timedelta(seconds=30),
    limiter: Limiter | None = None,
) -> Target:
    """Make a processor that does `work` with every job of a queue, and notes it in `runs`."""

    @processor(
        queue,
        concurrency=concurrency,
        lock_duration=lock,
        stalled_interval=stalled,
        limiter=limiter,
    )
    async def run(job: Job[Any], ctx: Context) -> Any:  # noqa: ANN401 - JSON
        if runs is not None:
            runs.note(job.id)
        return await work(job, ctx)

    return run


async def job_hash(app: Application, job_id: str, queue: str = "q") -> dict[str, str]:
    """Read a job's hash as it stands in Redis."""
    found = await app.store.command("HGETALL", f"{app.settings.prefix}:{queue}:{job_id}")
    return {name.decode(): value.decode() for name, value in found.items()}


async def job_opts(app: Application, job_id: str, queue: str = "q") -> dict[str, Any]:
    """Read the options in a job's hash."""
    opts: dict[str, Any] = json.loads((await job_hash(app, job_id, queue))["opts"])
    return opts


@pytest.fixture
def ours(redis_url: str, prefix: str) -> Ours:
    return Ours(redis_url, prefix)
