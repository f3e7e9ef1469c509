"""A job, where it stands, when it is due and the newest event, all of one moment."""

from datetime import timedelta

from framework import JobState
from tests.support.apps import Open
from tests.support.until import until


async def test_a_look_tells_what_stands_beside_the_job(open_app: Open) -> None:
    async with open_app() as app:
        queue = app.queue("demo")
        job = await queue.add("n", {"a": 1}, delay=timedelta(hours=1))

        look = await queue.look(job.id)

        assert look is not None
        assert (look.job.id, look.job.data, look.state) == (job.id, {"a": 1}, JobState.DELAYED)
        assert look.due is not None
        assert look.due == job.timestamp + timedelta(hours=1)


async def test_who_listens_after_a_look_hears_what_follows_and_no_more(open_app: Open) -> None:
    async with open_app() as app:
        queue = app.queue("demo")
        job = await queue.add("n")
        look = await queue.look(job.id)
        assert look is not None
        await queue.update_progress(job.id, 7)

        async with queue.listen(after=look.event_id, job_id=job.id) as listener:
            (event,) = await listener.receive(timedelta(seconds=5))

        assert (event.event, event.progress) == ("progress", 7)


async def test_a_held_job_is_due_never_and_another_is_nowhere(open_app: Open) -> None:
    async with open_app() as app:
        queue = app.queue("demo")
        job = await queue.add("n")
        await queue.pause_job(job.id)

        look = await queue.look(job.id)

        assert look is not None
        assert (look.state, look.due, look.job.is_held) == (JobState.DELAYED, None, True)
        assert await queue.look("not-there") is None
        assert await queue.look("a:b") is None


async def test_a_look_follows_a_job_by_hand_to_its_end(open_app: Open) -> None:
    async with open_app() as app:
        queue = app.queue("demo")
        job = await queue.add("n", priority=3)
        states = [await queue.look(job.id)]
        held = await until(lambda: queue.next_job("token"))
        states.append(await queue.look(job.id))
        await held.complete(5)
        states.append(await queue.look(job.id))

        found = [one.state for one in states if one is not None]
        assert found == [JobState.PRIORITIZED, JobState.ACTIVE, JobState.COMPLETED]
        assert states[-1] is not None
        assert states[-1].job.result == 5
        assert states[-1].due is None
