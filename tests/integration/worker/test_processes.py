"""Jobs in child processes: what crosses, what a crash costs, how they end."""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from framework.app.application import Application
from framework.app.wiring import wiring_of
from framework.client.sync_producer import SyncProducer
from framework.declare.spec import resolve
from framework.errors import DependencyError, JobFailedError, ProcessStartError
from framework.model.job import Job, JobState
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.worker.children import Children
from tests.support import crunch
from tests.support.apps import Open, declared, settings_of, working
from tests.support.crunch import Crunch, Echo, Echoes, Heard, Notebook, notebook
from tests.support.stopwatch import Stopwatch
from tests.support.unbuildable import Unbuildable
from tests.support.until import until

ZERO = timedelta(0)


@pytest.fixture
def app(open_app: Open) -> Application:
    return open_app(Crunch, Echoes, providers=(notebook,))


async def add(app: Application, act: str, **more: Any) -> Job[Any, Any]:  # noqa: ANN401 - options
    data = {"act": act} | {name: more.pop(name) for name in ("path", "seconds") if name in more}
    return await app.queue("crunch").add("order", data, **more)


async def done(app: Application, act: str, **more: Any) -> Any:  # noqa: ANN401 - its result
    job = await add(app, act, **more)
    return await app.queue("crunch").result(job, timeout=timedelta(seconds=15))


async def failure(app: Application, act: str, **more: Any) -> JobFailedError:  # noqa: ANN401 - options
    with pytest.raises(JobFailedError) as caught:
        await done(app, act, **more)
    return caught.value


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


async def test_a_child_runs_one_job_after_the_other_elsewhere(app: Application) -> None:
    async with working(app):
        pid, served = await done(app, "pid_and_served")
        again = await done(app, "pid_and_served")
        is_main = await done(app, "in_the_main_thread")

    assert pid != os.getpid()
    assert (served, again) == (1, [pid, 2])
    assert is_main is True


async def test_progress_log_and_saved_data_cross(app: Application, prefix: str) -> None:
    async with working(app):
        with capture_logs() as lines:
            result = await done(app, "work_out")
            queue = app.queue("crunch")
            job = await queue.job("1")
            logs = await queue.logs("1")
            chunks = [(one.index, one.data) async for one in queue.chunks("1")]
            printed = [line for line in lines if line["event"] == "printed"]

    assert result == ["saved", 1, "1", prefix]
    assert job is not None
    assert (job.progress, job.data) == (
        {"percentage": 50},
        {"act": "saved", "path": "", "seconds": 0.0},
    )
    assert logs == ["half way"]
    assert chunks == [(0, "half a result")]
    assert {(line["text"], line["job"]) for line in printed} == {
        ("printed aloud", "1"),
        ("and on stderr", "1"),
    }


async def test_steps_and_parking_cross(app: Application) -> None:
    async with working(app):
        remembered = await done(app, "step_twice", attempts=2)
        parked = await done(app, "park")
        job = await app.queue("crunch").job("2")

    assert remembered is True
    assert parked == "after the delay"
    assert job is not None
    assert (job.attempts_made, job.attempts_started) == (1, 2)


async def test_a_job_adds_children_and_reads_what_they_return(app: Application) -> None:
    async with working(app):
        result = await done(app, "gather")

    assert result == ["from below", 1, []]


async def test_what_a_handler_raises_arrives_in_its_own_words(app: Application) -> None:
    async with working(app):
        failed = await failure(app, "fail", attempts=2)
        declined = await failure(app, "decline", attempts=5)
        nonsense = await failure(app, "return_nonsense", attempts=5)
        left = await failure(app, "raise_exit")

    assert failed.reason == "no good"
    assert len(failed.stacktrace) == 2
    assert failed.stacktrace[0].startswith("Traceback")
    assert "in fail" in failed.stacktrace[0]
    assert failed.stacktrace[0].rstrip().endswith("ValueError: no good")
    assert "framework/worker" not in failed.stacktrace[0]
    assert (declined.reason, len(declined.stacktrace)) == ("declined", 1)
    assert nonsense.reason.startswith("the result cannot be written")
    assert len(nonsense.stacktrace) == 1
    assert left.reason == "7"


@pytest.mark.parametrize(
    ("act", "reason", "printed"),
    [
        ("leave_by_exit", "ended with exit code 3", "about to leave"),
        ("be_killed", "ended by SIGKILL (out of memory?)", ""),
        ("segfault", "ended by SIGSEGV", "Segmentation fault"),
    ],
)
async def test_a_crash_fails_its_job_alone(
    app: Application, tmp_path: Path, act: str, reason: str, printed: str
) -> None:
    async with working(app):
        beside = await add(app, "wait", path=str(tmp_path / "began"), seconds=60.0)
        await until((tmp_path / "began").exists, timeout=10, message="the other job runs")
        failed = await failure(app, act)
        pid, served = await done(app, "pid_and_served")
        (tmp_path / "began.go").touch()
        other = await app.queue("crunch").result(beside, timeout=timedelta(seconds=10))

    assert reason in failed.reason
    assert printed in failed.stacktrace[0]
    assert served == 1
    assert pid != other


async def test_a_job_whose_process_crashed_is_tried_again(app: Application) -> None:
    async with working(app):
        assert await done(app, "crash_once", attempts=2) == 2


async def test_a_signal_to_all_processes_cuts_off_no_job(app: Application, tmp_path: Path) -> None:
    path = tmp_path / "began"
    async with working(app):
        pid, _ = await done(app, "pid_and_served")
        job = await add(app, "wait", path=str(path), seconds=60.0)
        await until(path.exists, timeout=10, message="it runs")
        for name in (signal.SIGTERM, signal.SIGINT):
            os.kill(pid, name)
        (tmp_path / "began.go").touch()

        assert await app.queue("crunch").result(job, timeout=timedelta(seconds=10)) == pid


async def test_a_child_that_died_idle_costs_no_job(app: Application) -> None:
    async with working(app):
        first, _ = await done(app, "pid_and_served")
        os.kill(first, signal.SIGKILL)
        await until(lambda: not is_alive(first), message="it is gone")

        second, served = await done(app, "pid_and_served")

    assert second != first
    assert served == 1


async def test_as_many_jobs_run_at_once_as_there_may(app: Application, tmp_path: Path) -> None:
    async with working(app):
        queue = app.queue("crunch")
        jobs = [await add(app, "wait", path=str(tmp_path / str(n)), seconds=60.0) for n in range(3)]
        await until(lambda: len(list(tmp_path.iterdir())) == 2, timeout=20, message="two run")
        for n in range(3):
            (tmp_path / f"{n}.go").touch()
        pids = [await queue.result(job, timeout=timedelta(seconds=15)) for job in jobs]

    assert len(set(pids)) == 2


async def test_a_drained_stop_waits_for_children_and_ends_them(
    app: Application, tmp_path: Path
) -> None:
    async with working(app):
        job = await add(app, "wait", path=str(tmp_path / "began"), seconds=0.4)
        await until((tmp_path / "began").exists, timeout=10, message="it runs")

    async with app:
        pid = await app.queue("crunch").result(job)
    assert not is_alive(pid)


async def test_a_stop_that_does_not_wait_gives_back_what_no_process_runs_any_more(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setenv("CRUNCH_NOTES", str(notes))
    app = open_app(Crunch, Echoes, providers=(notebook,), shutdown_timeout=ZERO)
    path = tmp_path / "began"
    async with working(app):
        await add(app, "wait", path=str(path), seconds=60.0)
        await until(path.exists, timeout=10, message="it runs")

    async with app:
        job = await app.queue("crunch").job("1")
        assert await app.queue("crunch").state("1") is JobState.WAITING
    assert job is not None
    assert job.attempts_made == 0
    assert notes.read_text() == "rolled back: SystemExit\n"


async def test_a_child_that_does_not_listen_is_killed_with_what_it_started(
    open_app: Open, tmp_path: Path
) -> None:
    app = open_app(Crunch, Echoes, providers=(notebook,), shutdown_timeout=ZERO)
    clings, leaves = tmp_path / "clings", tmp_path / "leaves"
    async with working(app):
        await add(app, "ignore_the_end", path=str(clings))
        await add(app, "leave_a_process", path=str(leaves))
        await until(lambda: clings.exists() and leaves.exists() and leaves.read_text(), timeout=10)
        watch = Stopwatch()

    assert watch.seconds < 4
    assert (tmp_path / "clings.told").read_text() == "True"
    await until(lambda: not is_alive(int(leaves.read_text())), message="its process is gone")


async def test_a_job_that_lost_its_lock_is_ended(
    app: Application, store: Store, prefix: str, tmp_path: Path
) -> None:
    keys = QueueKeys(prefix, "crunch")
    path = tmp_path / "began"
    async with working(app):
        await add(app, "lose_the_lock", path=str(path))
        await until(path.exists, timeout=10, message="it runs")
        await store.command("SET", f"{keys.job('1')}:lock", "thief")
        await until((tmp_path / "began.lost").exists, message="the handler heard of it")
        await until(lambda: app.running == 0, message="its run is over")

    assert 'job 1 of queue "crunch" is locked' in (tmp_path / "began.lost").read_text()


async def test_a_cancelled_job_ends_with_its_process(app: Application, tmp_path: Path) -> None:
    path = tmp_path / "began"
    async with working(app):
        job = await add(app, "wait", path=str(path), seconds=60.0, attempts=3)
        await until(path.exists, timeout=10, message="it runs")
        await app.queue("crunch").cancel(job.id, "enough")

        with pytest.raises(JobFailedError, match="cancelled: enough"):
            await app.queue("crunch").result(job, timeout=timedelta(seconds=10))


async def test_a_job_is_held_at_its_checkpoint(app: Application, tmp_path: Path) -> None:
    path = tmp_path / "began"
    async with working(app):
        queue = app.queue("crunch")
        job = await add(app, "come_to_a_checkpoint", path=str(path))
        await until(path.exists, timeout=10, message="it runs")
        await queue.pause_job(job.id)

        async def is_held() -> bool:
            return await queue.state(job.id) is JobState.DELAYED

        await until(is_held, timeout=10, message="it is held")
        await queue.resume_job(job.id)
        result = await queue.result(job, timeout=timedelta(seconds=10))

    assert result == "after the hold"


async def test_children_that_are_idle_for_long_are_ended(redis_url: str, prefix: str) -> None:
    settings = settings_of(redis_url, prefix)
    wiring = wiring_of(resolve(Crunch), declared(Crunch, Echoes, providers=(notebook,)), settings)

    async with Children(wiring, idle_seconds=0.2) as children:
        assert children.idle == 1
        await until(lambda: children.idle == 0, timeout=10, message="none is left")


async def test_hooks_run_in_the_worker(open_app: Open) -> None:
    crunch.HEARD.clear()
    app = open_app(Heard)

    async with working(app):
        queue = app.queue("heard")
        result = await queue.result(await queue.add("pid", [1, 2, 3]))
        await until(lambda: len(crunch.HEARD) == 2, message="both hooks ran")

    assert result != os.getpid()
    assert [3, (result, os.getpid())] == crunch.HEARD


async def test_what_cannot_be_wired_ends_the_start(open_app: Open) -> None:
    app = open_app(Unbuildable)

    with pytest.RaisesGroup(
        pytest.RaisesExc(ProcessStartError, match=r"Unbuildable .*: no such model"),
        flatten_subgroups=True,
    ):
        await run_alone(app)


async def run_alone(app: Application) -> None:
    async with app:
        await app.work()


async def test_children_end_when_their_worker_is_killed(
    redis_url: str, prefix: str, tmp_path: Path
) -> None:
    environment = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}
    command = [sys.executable, "-m", "framework.cli.main", "run"]
    command += ["tests.support.crunch", "--processes", "0"]
    async with await anyio.open_process(
        command, env={**os.environ, **environment}, stdout=DEVNULL, stderr=DEVNULL
    ) as worker:
        async with Application(
            "tests.support.crunch", settings=settings_of(redis_url, prefix)
        ) as app:
            pid, _ = await done(app, "pid_and_served")
            path = tmp_path / "began"
            await add(app, "ignore_the_end", path=str(path))
            await until(path.exists, timeout=10, message="it runs")

        worker.kill()

    await until(lambda: not is_alive(pid), timeout=10, message="the child is gone")


async def test_a_process_is_ended_when_its_time_is_over(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    monkeypatch.setenv("CRUNCH_NOTES", str(notes))
    soon = timedelta(milliseconds=100)
    async with working(app):
        watch = Stopwatch()
        failed = await failure(
            app, "wait", path=str(tmp_path / "b"), seconds=60.0, timeout=soon, attempts=2
        )
        took = watch.seconds
        killed = await failure(
            app, "ignore_the_end", path=str(tmp_path / "c"), timeout=timedelta(seconds=1)
        )

    assert failed.reason == "the job ran longer than its timeout of 0.1 s"
    assert len(failed.stacktrace) == 2
    assert took < 10
    assert killed.reason == "the job ran longer than its timeout of 1 s"
    assert (tmp_path / "c.told").exists()
    assert "rolled back: SystemExit" in notes.read_text()


@pytest.mark.parametrize("wants", [Notebook, SyncProducer[Echo, str]], ids=["job's", "process's"])
async def test_an_override_that_would_not_reach_a_child_is_refused_before_a_job_runs(
    redis_url: str, prefix: str, wants: object
) -> None:
    app = Application(
        declared(Crunch, Echoes, providers=(notebook,)),
        settings=settings_of(redis_url, prefix),
        overrides={wants: object()},
    )

    async with app:
        job = await add(app, "pid")
        with pytest.raises(DependencyError, match="Crunch runs in child") as it:
            await app.work()

        assert await app.queue("crunch").state(job.id) is JobState.WAITING
    assert 'run_in="thread"' in str(it.value)


async def test_an_override_that_no_child_asks_for_is_none_of_its_business(
    redis_url: str, prefix: str
) -> None:
    app = Application(
        declared(Crunch, Echoes, providers=(notebook,)),
        settings=settings_of(redis_url, prefix),
        overrides={Path: Path()},
    )

    async with working(app):
        assert await done(app, "in_the_main_thread") is True


async def test_a_child_knows_the_token_that_holds_its_job(app: Application, tmp_path: Path) -> None:
    told = tmp_path / "token"
    async with working(app):
        queue = app.queue("crunch")
        job = await add(app, "tell_token", path=str(told))
        token = await until(lambda: told.exists() and told.read_text(), message="it is told")
        held = await queue.held_job(job.id, str(token))
        told.with_suffix(".go").touch()
        await queue.result(job)

    assert held.id == job.id
