"""Jobs that somebody removes while they run: their outcome is refused, nothing comes back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from framework import Context, Job, JobNotFoundError, processor
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.apps import Open, working
from tests.support.until import until

SHORT = timedelta(seconds=0.4)


class Handler:
    """Hangs until told otherwise, and tells what became of it."""

    def __init__(self) -> None:
        self.begun = anyio.Event()
        self.go_on = anyio.Event()
        self.end: object = None
        self.then: Callable[[Job[Any], Context], Any] | None = None

    def declared(self, lock: timedelta = timedelta(seconds=30)) -> Any:  # noqa: ANN401 - a processor
        @processor("demo", lock_duration=lock)
        async def hang(job: Job[Any], ctx: Context) -> str:
            self.begun.set()
            try:
                await self.go_on.wait()
                if self.then is not None:
                    await self.then(job, ctx)
            except BaseException as error:
                self.end = error
                raise
            self.end = "done"
            return "done"

        return hang


async def left(store: Store, keys: QueueKeys) -> set[str]:
    """Names of keys that jobs have."""
    found = await store.command("KEYS", f"{keys.base}*")
    names = {key.decode().removeprefix(keys.base) for key in found}
    return {name for name in names if name[0].isdigit() or name in {"active", "wait", "delayed"}}


async def test_an_obliterated_job_is_cancelled_when_its_lock_is_renewed(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    handler = Handler()
    app = open_app(handler.declared(SHORT))

    with capture_logs() as logs:
        async with working(app):
            await app.queue("demo").add("n")
            await handler.begun.wait()

            await app.queue("demo").obliterate(force=True)

            await until(lambda: handler.end is not None, message="the handler is cancelled")

    assert isinstance(handler.end, anyio.get_cancelled_exc_class())
    told = [entry for entry in logs if "job removed while it ran" in entry["event"]]
    assert [(entry["job"], entry["queue"]) for entry in told] == [("1", "demo")]
    assert await left(store, keys) == set()


async def test_a_job_whose_hash_alone_is_gone_leaves_neither_lock_nor_place(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    handler = Handler()
    app = open_app(handler.declared())

    with capture_logs() as logs:
        async with working(app):
            await app.queue("demo").add("n")
            await handler.begun.wait()
            await store.command("DEL", keys.job("1"))
            handler.go_on.set()
            await until(lambda: handler.end == "done")

    refused = [entry for entry in logs if entry["event"] == "outcome refused"]
    assert [entry["code"] for entry in refused] == [-1]
    assert "is not in Redis: it was removed" in refused[0]["error"]
    assert await left(store, keys) == set()


async def progress(_: Job[Any], ctx: Context) -> None:
    await ctx.progress(50)


async def log(_: Job[Any], ctx: Context) -> None:
    await ctx.log("row")


async def save(job: Job[Any], ctx: Context) -> None:
    await ctx.save(job, {"step": 2})


@pytest.mark.parametrize("write", [progress, log, save])
async def test_what_a_removed_job_writes_brings_nothing_to_life(
    open_app: Open, store: Store, keys: QueueKeys, write: Callable[[Job[Any], Context], Any]
) -> None:
    handler = Handler()
    handler.then = write
    app = open_app(handler.declared())

    async with working(app):
        await app.queue("demo").add("n", attempts=3)
        await handler.begun.wait()
        await app.queue("demo").obliterate(force=True)
        handler.go_on.set()
        await until(lambda: handler.end is not None)

    assert isinstance(handler.end, JobNotFoundError)
    assert await left(store, keys) == set()


async def test_a_job_added_under_the_id_of_a_removed_one_runs(
    open_app: Open, store: Store, keys: QueueKeys
) -> None:
    handler = Handler()
    app = open_app(handler.declared())

    async with working(app):
        queue = app.queue("demo")
        await queue.add("n", job_id="mine")
        await handler.begun.wait()
        await queue.obliterate(force=True)
        again = await queue.add("n", job_id="mine")
        handler.go_on.set()

        assert await queue.result(again) == "done"

    assert await store.command("EXISTS", keys.job("mine") + ":lock") == 0
