"""What lives as long as a job: it is closed before the job's end is written."""

from collections.abc import AsyncIterator

import pytest

from framework import Job, JobFailedError, processor, provider
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.builders import hash_of
from tests.support.echoes import Echo


class Session:
    pass


async def test_what_a_job_borrowed_is_closed_before_it_completes(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    seen: list[str] = []

    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        yield Session()
        seen.append(("returnvalue" in await hash_of(store, keys, "1") and "late") or "in time")

    @processor("demo")
    class Borrows:
        async def process(self, job: Job[Echo], session: Session) -> str:
            return type(session).__name__

    app = open_app(Borrows, providers=(session,))

    async with working(app):
        queue = app.queue("demo")
        assert await queue.result(await queue.add("echo", {"message": ""})) == "Session"

    assert seen == ["in time"]


async def test_what_a_job_borrowed_is_thrown_its_error(open_app: Open) -> None:
    seen: list[str] = []

    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        try:
            yield Session()
        except ValueError as error:
            seen.append(str(error))
            raise

    @processor("demo")
    class Borrows:
        async def process(self, job: Job[Echo], session: Session) -> str:
            raise ValueError("roll back")

    app = open_app(Borrows, providers=(session,))

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError, match="roll back"):
            await queue.result(await queue.add("echo", {"message": ""}))

    assert seen == ["roll back"]


async def test_a_commit_that_fails_fails_the_job(open_app: Open) -> None:
    @provider(scope="job")
    async def session() -> AsyncIterator[Session]:
        yield Session()
        raise ValueError("cannot commit")

    @processor("demo")
    class Borrows:
        async def process(self, job: Job[Echo], session: Session) -> str:
            return "done"

    app = open_app(Borrows, providers=(session,))

    async with working(app):
        queue = app.queue("demo")
        with pytest.raises(JobFailedError, match="cannot commit"):
            await queue.result(await queue.add("echo", {"message": ""}))
