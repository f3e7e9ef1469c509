# ruff: noqa: ANN401 - data and results of any kind
"""Jobs that may have ended their worker: they run alone, and fall alone."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from framework import (
    Application,
    Job,
    JobFailedError,
    JobQuarantinedError,
    JobState,
    WrongStateError,
    processor,
)
from tests.support import suspicious
from tests.support.apps import Open, working
from tests.support.suspicious import Chores, Deeds, run_errand
from tests.support.until import until

MINUTE = timedelta(minutes=1)


@pytest.fixture
def app(open_app: Open) -> Application:
    suspicious.HEARD.clear()
    return open_app(Deeds, Chores, run_errand)


async def add(
    app: Application, act: str, *, queue: str = "deeds", crashes: int = 2, **more: Any
) -> Job[Any, Any]:
    """Add a job that has been there when workers died, before any worker sees it."""
    await app.queue(queue).pause()
    job = await app.queue(queue).add("deed", {"act": act, **more})
    if crashes:
        await app.store.command("HSET", key_of(app, job), "fw.crashes", crashes)
    return job


def key_of(app: Application, job: Job[Any, Any]) -> str:
    return f"{app.settings.prefix}:{job.queue}:{job.id}"


async def fields_of(app: Application, job: Job[Any, Any]) -> dict[str, str]:
    found = await app.store.command("HGETALL", key_of(app, job))
    return {name.decode(): value.decode() for name, value in found.items()}


async def ended(app: Application, job: Job[Any, Any]) -> Any:
    await app.queue(job.queue).resume()
    return await app.queue(job.queue).result(job, timeout=MINUTE / 3)


async def failure(app: Application, job: Job[Any, Any]) -> JobFailedError:
    with pytest.raises(JobFailedError) as caught:
        await ended(app, job)
    return caught.value


@pytest.mark.parametrize(
    ("act", "cause", "told"),
    [
        ("kill", "signal 9 SIGKILL (out of memory?)", "at it"),
        ("segfault", "signal 11 SIGSEGV", "in end_process"),
        ("exit", "exit code 3", "at it"),
    ],
)
async def test_a_suspect_that_ends_its_process_is_quarantined_with_all_that_is_known(
    app: Application, act: str, cause: str, told: str
) -> None:
    async with working(app):
        job = await add(app, act)
        with capture_logs() as logged:
            error = await failure(app, job)
            await until(lambda: suspicious.HEARD, message="the hook was called")

        command = f"framework jobs rescue deeds {job.id}"
        assert error.reason == (
            f"quarantined: killed its process 3 times (last: {cause}); once mended: {command}"
        )
        assert told in error.stacktrace[-1]
        fields = await fields_of(app, job)
        assert (fields["fw.crashes"], fields["fw.quarantined"], fields["atm"]) == ("3", cause, "1")
        (row,) = await app.queue("deeds").logs(job.id)
        assert row.startswith("crash 3, alone in a process of its own: ")
        assert told in row
        (event, pid) = suspicious.HEARD[0]
        assert isinstance(event.error, JobQuarantinedError)
        assert (pid, event.will_retry) == (os.getpid(), False)
        (line,) = [one for one in logged if one["event"].startswith("job quarantined")]
        assert (line["job"], line["queue"], line["crashes"]) == (job.id, "deeds", 3)
        assert (line["log_level"], line["fix"]) == ("error", f"mend it, then: {command}")


async def test_a_good_suspect_runs_in_a_child_as_it_would_run_here(app: Application) -> None:
    async with working(app):
        job = await add(app, "leave")

        pid = await ended(app, job)

        found = await app.queue("deeds").job(job.id)
        assert found is not None
        assert (pid != os.getpid(), found.progress, found.attempts_made) == (True, 50, 1)


async def test_one_crash_in_company_makes_no_suspect(app: Application) -> None:
    async with working(app):
        job = await add(app, "pid", crashes=1)

        assert await ended(app, job) == os.getpid()


async def test_a_suspect_that_no_child_can_be_wired_for_runs_beside_the_others(
    open_app: Open,
) -> None:
    @processor("deeds", timeout=MINUTE)
    class Local:
        async def process(self, job: Job[dict[str, str]]) -> int:
            return os.getpid()

    app = open_app(Local)
    async with working(app):
        job = await add(app, "pid")
        with capture_logs() as logged:
            assert await ended(app, job) == os.getpid()

    (line,) = [one for one in logged if one["event"] == "a suspect runs beside other jobs"]
    assert "Declare it at module level" in line["why"]


async def test_suspects_that_wait_take_no_slot(app: Application, tmp_path: Path) -> None:
    async with working(app):
        held = [await add(app, "wait", path=str(tmp_path / str(n))) for n in range(6)]
        good = [await add(app, "pid", crashes=0) for _ in range(5)]

        for job in good:
            await ended(app, job)

        at_once = [n for n in range(6) if (tmp_path / str(n)).exists()]
        for n in range(6):
            (tmp_path / f"{n}.go").touch()
        pids = {await ended(app, job) for job in held}
        assert len(at_once) <= 2
        assert 1 <= len(pids) <= 2  # used again
        assert app.running == 0


async def test_a_stop_gives_back_the_suspects_that_wait(open_app: Open, tmp_path: Path) -> None:
    app = open_app(Deeds, shutdown_timeout=timedelta(0))
    async with working(app):
        jobs = [await add(app, "wait", path=str(tmp_path / str(n))) for n in range(4)]
        await app.queue("deeds").resume()

        async def are_held() -> bool:
            counts = await app.queue("deeds").counts()
            begun = [n for n in range(4) if (tmp_path / str(n)).exists()]
            return counts[JobState.ACTIVE] == 4 and len(begun) == 2

        await until(are_held, timeout=20, message="two run, two wait")

    async with app:
        waiting = await app.queue("deeds").jobs(JobState.WAITING)
        assert {job.id for job in waiting} == {job.id for job in jobs}
        fields = await fields_of(app, jobs[0])
        assert (fields["fw.crashes"], "atm" in fields) == ("2", False)


async def test_a_suspect_is_cancelled_as_any_other(app: Application, tmp_path: Path) -> None:
    async with working(app):
        job = await add(app, "wait", path=str(tmp_path / "pid"))
        await app.queue("deeds").resume()
        await until((tmp_path / "pid").exists, timeout=20, message="it runs")

        await app.queue("deeds").cancel(job.id, "no more")

        assert (await failure(app, job)).reason == "cancelled: no more"


async def test_with_more_crashes_allowed_it_runs_again_and_burns_no_attempt(
    app: Application,
) -> None:
    async with working(app):
        job = await add(app, "exit", queue="chores", crashes=3)

        error = await failure(app, job)

        fields = await fields_of(app, job)
        assert error.reason.startswith(
            "quarantined: killed its process 5 times (last: exit code 3)"
        )
        assert (fields["atm"], fields["ats"]) == ("1", "2")
        rows = await app.queue("chores").logs(job.id)
        assert [row.partition(",")[0] for row in rows] == ["begun", "crash 4", "begun", "crash 5"]


async def test_without_a_limit_it_is_never_quarantined_and_waits_ever_longer(
    app: Application,
) -> None:
    async with working(app):
        job = await add(app, "kill", queue="errands", crashes=7)
        await app.queue("errands").resume()

        async def is_delayed() -> bool:
            return await app.queue("errands").state(job.id) is JobState.DELAYED

        await until(is_delayed, timeout=20, message="it waits")

        fields = await fields_of(app, job)
        assert (fields["fw.crashes"], fields["delay"]) == ("8", "16000")


async def test_what_it_saved_counts_its_crashes_anew(app: Application) -> None:
    async with working(app):
        job = await add(app, "save")

        pid = await ended(app, job)

        (row,) = await app.queue("deeds").logs(job.id)
        assert row.startswith("crash 1, ")
        assert pid == os.getpid()  # no suspect any more


async def test_a_used_childs_end_is_held_against_nobody(app: Application) -> None:
    async with working(app):
        bomb = await add(app, "leave a bomb")
        left = await ended(app, bomb)
        victim = await add(app, "take long")

        assert await ended(app, victim) != left

        assert (await fields_of(app, victim))["fw.crashes"] == "2"


async def test_a_quarantined_child_fails_its_parent(app: Application) -> None:
    async with working(app):
        for queue in ("errands", "deeds"):
            await app.queue(queue).pause()
        parent = await app.queue("errands").add("parent", {})
        child = await app.queue("deeds").add("deed", {"act": "exit"}, parent=parent)
        await app.store.command("HSET", key_of(app, child), "fw.crashes", 2)
        await failure(app, child)

        error = await failure(app, parent)

        assert error.reason == f"child {key_of(app, child)} failed"


async def test_a_rescued_job_starts_anew_and_an_isolated_one_runs_alone_again(
    app: Application,
) -> None:
    async with working(app):
        job = await add(app, "exit")
        queue = app.queue("deeds")
        await failure(app, job)

        await queue.rescue_job(job.id, isolate=True)
        again = await failure(app, job)
        await queue.pause()
        await queue.rescue_job(job.id)
        fields = await fields_of(app, job)

        assert "4 times" in again.reason
        assert await queue.state(job.id) is JobState.WAITING
        assert {"fw.crashes", "fw.quarantined", "failedReason"} & set(fields) == set()
        with pytest.raises(WrongStateError, match="has not failed"):
            await queue.rescue_job(job.id)
