"""Applications of processors that a test declares itself, against the test's own prefix."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from framework.app.application import Application
from framework.app.discovery import Declarations
from framework.app.settings import Settings
from framework.declare.spec import resolve
from framework.di.provider import provider_of
from framework.model.job import JobState
from tests.support.until import until

Open = Callable[..., Application]
UNFINISHED = (JobState.WAITING, JobState.PRIORITIZED, JobState.DELAYED, JobState.ACTIVE)


def declared(
    *processors: Callable[..., object], providers: tuple[Callable[..., object], ...] = ()
) -> Declarations:
    """What a package of these would declare."""
    specs = tuple(resolve(one) for one in processors)
    found = tuple(spec for one in providers if (spec := provider_of(one)) is not None)
    return Declarations(package="tests", processors=specs, selected=specs, providers=found)


def settings_of(url: str, prefix: str, **more: Any) -> Settings:  # noqa: ANN401 - whatever the settings take
    """Settings for a server and a prefix; a stop waits five seconds for running jobs."""
    told = {"shutdown_timeout": timedelta(seconds=5), **more}
    return Settings(redis_url=SecretStr(url), prefix=prefix, **told)


@pytest.fixture
def open_app(redis_url: str, prefix: str) -> Open:
    """Make an application of some processors, on the shared server and the test's own prefix."""

    def make(
        *processors: Callable[..., object],
        providers: tuple[Callable[..., object], ...] = (),
        **settings: object,
    ) -> Application:
        told = settings_of(redis_url, prefix, **settings)
        return Application(declared(*processors, providers=providers), settings=told)

    return make


@asynccontextmanager
async def working(*apps: Application) -> AsyncIterator[None]:
    """Run the workers of applications; at the end let running jobs end."""
    async with anyio.create_task_group() as tasks:
        for app in apps:
            await tasks.start(running, app)
        yield
        for app in apps:
            app.stop()


async def running(
    app: Application, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Open an application and work until it is stopped."""
    async with app:
        await app.work(task_status=task_status)


async def all_finished(app: Application, queue: str, *, timeout: float = 10.0) -> None:
    """Wait until no job of a queue is left to do."""

    async def is_done() -> bool:
        counts = await app.queue(queue).counts()
        return not any(counts[state] for state in UNFINISHED)

    await until(is_done, timeout=timeout, message=f"all jobs of {queue} finished")
