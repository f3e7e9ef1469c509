"""bull-board shows our queues and jobs as it shows BullMQ's own."""

from datetime import timedelta
from typing import Any

from playwright.async_api import expect

from framework import Application, Context, Job, JobState
from tests.browser.board import Board
from tests.support.ours import Ours, does
from tests.support.until import until

HOUR = timedelta(hours=1)


async def by_its_name(job: Job[Any], ctx: Context) -> object:
    """Do what the job's name says."""
    await ctx.log("first row")
    await ctx.log("second row")
    await ctx.progress(42)
    if job.name == "bad":
        raise ValueError("card declined")
    if job.name == "hang":
        await until(lambda: False, timeout=60)
    return {"sent": True}


async def settled(app: Application, job_id: str, state: JobState) -> None:
    async def is_so() -> bool:
        return await app.queue("q").state(job_id) is state

    await until(is_so, message=f"job {job_id} is {state.value}")


async def add_one_for_each_state(app: Application) -> None:
    queue = app.queue("q")
    await settled(app, (await queue.add("good", {"to": "Ada"})).id, JobState.COMPLETED)
    await settled(app, (await queue.add("bad", {"cents": 500})).id, JobState.FAILED)
    await settled(app, (await queue.add("hang")).id, JobState.ACTIVE)
    await queue.add("next")
    await queue.add("urgent", priority=3)
    await queue.add("later", delay=HOUR)


async def test_the_tabs_count_our_jobs_in_each_state(ours: Ours, board: Board) -> None:
    async with ours.working(does(by_its_name)) as app:
        await add_one_for_each_state(app)

        await board.queue("q")

        for state in ("ACTIVE", "WAITING", "PRIORITIZED", "COMPLETED", "FAILED", "DELAYED"):
            await expect(board.main.get_by_role("link", name=f"{state} 1")).to_be_visible()
        await expect(board.main.get_by_role("link", name="WAITING CHILDREN 1")).to_be_hidden()
        await board.picture("queue")


async def test_each_tab_lists_our_jobs_of_that_state(ours: Ours, board: Board) -> None:
    async with ours.working(does(by_its_name)) as app:
        await add_one_for_each_state(app)

        for status, title in {
            "completed": "#1 good",
            "failed": "#2 bad",
            "active": "#3 hang",
            "waiting": "#4 next",
            "prioritized": "#5 urgent",
            "delayed": "#6 later",
        }.items():
            await board.queue("q", status)
            await expect(board.main.get_by_role("link", name=title)).to_be_visible()
            await expect(board.main.get_by_role("tablist")).to_have_count(1)


async def test_a_job_of_ours_has_its_data_result_and_progress(ours: Ours, board: Board) -> None:
    async with ours.working(does(by_its_name)) as app:
        job = await app.queue("q").add("good", {"to": "Ada"})
        await settled(app, job.id, JobState.COMPLETED)

        await board.job("q", job.id)

        await expect(board.panel).to_contain_text('to:"Ada"')
        await expect(board.panel).to_contain_text("sent:true")
        await expect(board.main.get_by_role("progressbar")).to_contain_text("42%")
        await expect(board.main.get_by_text("Finished at")).to_be_visible()
        await board.picture("completed")


async def test_a_failed_job_of_ours_has_its_reason_and_stack(ours: Ours, board: Board) -> None:
    async with ours.working(does(by_its_name)) as app:
        job = await app.queue("q").add("bad")
        await settled(app, job.id, JobState.FAILED)

        await board.job("q", job.id, "Error")

        await expect(board.panel).to_contain_text("card declined")
        await expect(board.panel).to_contain_text("in by_its_name")
        await board.picture("failed")


async def test_the_log_of_a_job_of_ours_is_there_row_by_row(ours: Ours, board: Board) -> None:
    async with ours.working(does(by_its_name)) as app:
        job = await app.queue("q").add("good")
        await settled(app, job.id, JobState.COMPLETED)

        await board.job("q", job.id, "Logs")

        rows = board.panel.get_by_role("listitem").filter(has_text="row")
        await expect(rows).to_have_text(["first row", "second row"])
        await board.picture("logs")


async def test_the_options_of_a_job_of_ours_are_there(ours: Ours, board: Board) -> None:
    async with ours.producing() as app:
        job = await app.queue("q").add("later", delay=HOUR, attempts=7)

        await board.job("q", job.id, "Options")

        await expect(board.panel).to_contain_text("attempts:7")
        await expect(board.main.get_by_text("Will run at")).to_be_visible()


async def test_a_queue_that_we_pause_is_marked(ours: Ours, board: Board) -> None:
    async with ours.producing() as app:
        await app.queue("q").add("next")
        await app.queue("q").pause()

        await board.home()

        await expect(board.page.get_by_role("link", name="q [ Paused ]")).to_be_visible()
        await board.picture("paused")
