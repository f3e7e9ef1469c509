"""bull-board shows our flows, schedules and workers, and tends the schedules."""

from datetime import timedelta

from playwright.async_api import expect

from framework import Application, Every, Flow, FlowProducer, Job, JobState
from tests.browser.board import Board
from tests.support.ours import Ours, does
from tests.support.until import until

HOUR = timedelta(hours=1)


async def add_family(app: Application) -> Job[object]:
    """Add a parent with one child that will be worked and one that will not."""
    flows = await app.get(FlowProducer)
    leaves = [
        Flow.named("q", "worked", {"n": 1}, job_id="first"),
        Flow.named("parents", "waits", {"n": 2}, job_id="second"),
    ]
    return await flows.add(Flow.named("parents", "report", {"of": "May"}, leaves, job_id="top"))


async def reach(app: Application, queue: str, job_id: str, state: JobState) -> None:
    async def is_so() -> bool:
        return await app.queue(queue).state(job_id) is state

    await until(is_so, message=f"{job_id} is {state.value}")


async def test_a_flow_of_ours_is_drawn_as_a_tree(ours: Ours, board: Board) -> None:
    async with ours.working(does()) as app:
        parent = await add_family(app)
        await reach(app, "q", "first", JobState.COMPLETED)

        await board.job("parents", parent.id)

        tree = board.main.get_by_role("application")
        await expect(tree.get_by_label("report, waiting-children, queue parents")).to_be_visible()
        await expect(tree.get_by_label("worked, completed, queue q")).to_be_visible()
        await expect(tree.get_by_label("waits, waiting, queue parents")).to_be_visible()
        await expect(board.main.get_by_text("1 done").first).to_be_visible()
        await expect(board.main.get_by_text("1 unfinished").first).to_be_visible()
        await board.picture("flow")


async def test_a_parent_of_ours_waits_in_its_tab(ours: Ours, board: Board) -> None:
    async with ours.producing() as app:
        await add_family(app)

        await board.queue("parents", "waiting-children")

        await expect(board.main.get_by_role("link", name="WAITING CHILDREN 1")).to_be_visible()
        await expect(board.main.get_by_role("link", name="top report")).to_be_visible()


async def test_our_schedules_are_listed_with_their_next_runs(ours: Ours, board: Board) -> None:
    async with ours.producing() as app:
        await app.queue("q").upsert_job_scheduler("nightly", Every(HOUR), "sweep", {"all": True})

        await board.schedulers()

        row = board.main.get_by_role("row", name="nightly")
        await expect(row).to_contain_text("sweep")
        await expect(row).to_contain_text("every 1h")
        await board.picture("schedules")


async def test_a_schedule_removed_on_the_board_is_gone(ours: Ours, board: Board) -> None:
    async with ours.working(does()) as app:
        await app.queue("q").upsert_job_scheduler("nightly", Every(HOUR), "sweep")

        await board.schedulers()
        await board.click("Remove scheduler")
        await board.confirm()

        async def is_gone() -> bool:
            return await app.queue("q").job_scheduler("nightly") is None

        await until(is_gone)


async def test_a_queue_that_we_work_is_not_said_to_have_no_workers(
    ours: Ours, board: Board
) -> None:
    warning = board.main.get_by_text("No workers")
    async with ours.producing() as app:
        await app.queue("q").add("n")
        await board.queue("q")
        await expect(warning).to_be_visible()

    async with ours.working(does()):
        await board.queue("q", "completed")

        await expect(board.main.get_by_role("link", name="COMPLETED 1")).to_be_visible()
        await expect(warning).to_be_hidden()
        await board.picture("workers")
