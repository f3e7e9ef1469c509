"""What a person clicks on bull-board happens to our jobs, and our workers follow."""

from datetime import timedelta
from typing import Any

from playwright.async_api import expect

from framework import Application, Context, Job, JobState
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.browser.board import PROMOTE, REMOVE, RETRY, Board
from tests.support.builders import completed_job, failed_job
from tests.support.ours import Ours, Runs, does
from tests.support.until import until

HOUR = timedelta(hours=1)


async def fails_at_first(_: Job[Any], ctx: Context) -> str:
    if ctx.attempt == 1:
        raise ValueError("not yet")
    return "at last"


async def reach(app: Application, state: JobState, *job_ids: str) -> None:
    """Wait until jobs are in a state."""

    async def is_so() -> bool:
        return all([await app.queue("q").state(job_id) is state for job_id in job_ids])

    await until(is_so, message=f"{job_ids} are {state.value}")


async def count(app: Application, state: JobState) -> int:
    return (await app.queue("q").counts())[state]


async def test_retry_runs_our_failed_job_again(ours: Ours, board: Board) -> None:
    async with ours.working(does(fails_at_first)) as app:
        job = await app.queue("q").add("n")
        await reach(app, JobState.FAILED, job.id)

        await board.job("q", job.id)
        await board.click_icon(RETRY)
        await board.confirm()

        await reach(app, JobState.COMPLETED, job.id)
        await expect(board.panel).to_contain_text('returnValue:"at last"')


async def test_retry_all_runs_all_our_failed_jobs_again(ours: Ours, board: Board) -> None:
    async with ours.working(does(fails_at_first)) as app:
        jobs = await app.queue("q").add_bulk([("n", n) for n in range(5)])
        ids = [job.id for job in jobs]
        await reach(app, JobState.FAILED, *ids)

        await board.queue("q", "failed")
        await board.click("Retry all")
        await board.confirm()

        await reach(app, JobState.COMPLETED, *ids)


async def test_promote_runs_our_delayed_job_now(ours: Ours, board: Board) -> None:
    async with ours.working(does()) as app:
        job, other = [await app.queue("q").add("n", delay=HOUR) for _ in range(2)]

        await board.job("q", job.id)
        await board.click_icon(PROMOTE)
        await board.confirm()

        await reach(app, JobState.COMPLETED, job.id)
        assert await app.queue("q").state(other.id) is JobState.DELAYED


async def test_promote_all_runs_all_our_delayed_jobs_now(ours: Ours, board: Board) -> None:
    async with ours.working(does()) as app:
        ids = [(await app.queue("q").add("n", delay=HOUR)).id for _ in range(3)]

        await board.queue("q", "delayed")
        await board.click("Promote all")
        await board.confirm()

        await reach(app, JobState.COMPLETED, *ids)


async def test_clean_removes_our_completed_jobs_alone(
    ours: Ours, board: Board, store: Store, prefix: str
) -> None:
    keys = QueueKeys(prefix, "q")  # made long ago: the board spares what ended 5 s ago or less
    failed, done = await failed_job(store, keys), await completed_job(store, keys)
    async with ours.producing() as app:
        later = await app.queue("q").add("n", delay=HOUR)

        await board.queue("q", "completed")
        await board.click("Clean all")
        await board.confirm()

        await reach(app, JobState.UNKNOWN, done)
        assert await app.queue("q").state(failed) is JobState.FAILED
        assert await app.queue("q").state(later.id) is JobState.DELAYED


async def test_our_workers_stand_still_while_the_board_pauses(ours: Ours, board: Board) -> None:
    runs = Runs()
    async with ours.working(does(runs=runs)) as app:
        await reach(app, JobState.COMPLETED, (await app.queue("q").add("n")).id)

        await board.queue("q")
        await board.choose("Pause")
        await board.confirm()
        await until(app.queue("q").is_paused)
        waiting = await app.queue("q").add("n")
        await board.queue("q")
        await expect(board.page.get_by_role("link", name="q [ Paused ]")).to_be_visible()
        ran_while_paused = list(runs.ids)
        await board.choose("Resume")
        await board.confirm()

        await reach(app, JobState.COMPLETED, waiting.id)
        assert waiting.id not in ran_while_paused
        assert runs.ids[-1] == waiting.id


async def test_remove_deletes_our_job(ours: Ours, board: Board) -> None:
    async with ours.producing() as app:
        job = await app.queue("q").add("n")

        await board.job("q", job.id)
        await board.click_icon(REMOVE)
        await board.confirm()

        await reach(app, JobState.UNKNOWN, job.id)
        assert await app.queue("q").job(job.id) is None


async def test_empty_leaves_nothing_to_run(ours: Ours, board: Board) -> None:
    async with ours.producing() as app:
        await app.queue("q").add_bulk([("n", n) for n in range(5)])

        await board.queue("q")
        await board.choose("Empty")
        await board.confirm()

        async def is_empty() -> bool:
            return await count(app, JobState.WAITING) == 0

        await until(is_empty)
