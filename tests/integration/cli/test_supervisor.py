"""`framework run --processes`: workers that die, hang, grow old or are told to stop."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

from framework import Application, Queue, Settings
from framework.app.discovery import Declarations
from framework.server import EmbeddedServer
from tests.support.command import Command, children_of, command, write_package
from tests.support.servers import one_server
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

DEMO = """
    import os, time, signal
    import anyio
    from typing import Any
    from datetime import timedelta
    from framework import Job, processor

    @processor("greetings", concurrency=10, lock_duration=timedelta(seconds=1))
    class Demo:
        async def process(self, job: Job[dict[str, Any]]) -> int:
            told = job.data
            if "file" in told:
                with open(told["file"], "a") as file:
                    file.write(f"{job.id} {os.getpid()}\\n")
            if told.get("once") and job.attempts_started > 1:
                return os.getpid()
            if "sleep" in told:
                await anyio.sleep(told["sleep"])
            if "block" in told:
                time.sleep(told["block"])
            if "exit" in told:
                os._exit(told["exit"])
            return os.getpid()
"""
AT_IMPORT = """
    from pathlib import Path
    if Path(__file__).with_name("broken").exists():
        raise RuntimeError("broken deploy")
"""


def environment_of(redis_url: str, prefix: str, **more: str) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "FRAMEWORK_PREFIX": prefix,
        "FRAMEWORK_SHUTDOWN_TIMEOUT": "10",
        "FRAMEWORK_LOG_FORMAT": "json",
        **more,
    }


@contextmanager
def supervised(
    tmp_path: Path, redis_url: str, prefix: str, *options: str, ready: int = 2, **more: str
) -> Iterator[Command]:
    """`framework run` of the demo, all its processes ready."""
    if not (tmp_path / "shop").exists():
        write_package(tmp_path, "shop", mail=DEMO, deploy=AT_IMPORT)
    told = environment_of(redis_url, prefix, **more)
    with command("run", "shop", *options, cwd=tmp_path, environment=told) as run:
        while run.output.count('"worker ready"') < ready:
            assert run.process.poll() is None, run.output
            time.sleep(0.01)
        yield run


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def runs_in(file: Path) -> list[tuple[str, int]]:
    """Which job was begun in which process, in order."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [(line.split()[0], int(line.split()[1])) for line in lines]


HOLDS_ALL = """
    import ctypes, os
    from typing import Any
    from datetime import timedelta
    from framework import Job, processor

    SECOND = timedelta(seconds=1)

    @processor("greetings", concurrency=2, lock_duration=2 * SECOND, stalled_interval=SECOND)
    async def hold(job: Job[dict[str, Any]]) -> int:
        with open(job.data["file"], "a") as file:
            file.write(f"{job.id} {os.getpid()}\\n")
        ctypes.PyDLL(None).usleep(int(job.data["seconds"] * 1e6))  # never lets the GIL go
        return os.getpid()
"""


async def test_what_holds_the_whole_interpreter_keeps_its_lock_and_runs_once(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=HOLDS_ALL)
    file = tmp_path / "runs"
    with supervised(tmp_path, redis_url, prefix, "--processes", "2") as run:
        job = await queue.add("x", {"file": str(file), "seconds": 6.2})

        await queue.result(job)

    assert len(runs_in(file)) == 1
    (told,) = [json.loads(line) for line in run.lines if "worker stands still" in line]
    assert (told["jobs"], told["seconds"] >= 5) == ([f"greetings:{job.id}"], True)
    assert "mail.py" in told["stack"]
    assert "in hold" in told["stack"]
    ended = await queue.job(job.id)
    assert ended is not None
    assert (ended.attempts_started, ended.attempts_made) == (1, 1)


async def test_a_blocked_worker_is_reported_then_killed_and_its_job_runs_again(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    more = {"FRAMEWORK_MAX_BLOCK": "6.5"}
    with supervised(tmp_path, redis_url, prefix, ready=1, **more) as run:
        (worker,) = children_of(run.process.pid)
        job = await queue.add("x", {"block": 600, "once": True})

        result = await queue.result(job, timeout=timedelta(seconds=60))

    reports = [line for line in run.lines if "event loop blocked" in line]
    assert len(reports) == 1, run.output
    assert f'"job": "{job.id}"' in reports[0]
    assert "mail.py" in reports[0]
    assert "time.sleep" in reports[0]
    assert '"worker": 1' in reports[0]
    assert "worker blocked for too long" in run.output
    assert result != worker


async def test_sighup_replaces_each_worker_once_the_next_takes_jobs(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    file = tmp_path / "runs"
    with supervised(tmp_path, redis_url, prefix, "--processes", "2") as run:
        old = children_of(run.process.pid)
        job = await queue.add("x", {"file": str(file), "sleep": 2})
        await until(lambda: runs_in(file), message="the job runs")

        run.send(signal.SIGHUP)
        run.says("rolling restart done")

        assert await queue.result(job) in old
        await until(lambda: not any(map(is_there, old)), timeout=8, message="the old ones ended")
        assert len(children_of(run.process.pid)) == 2
        run.send(signal.SIGTERM)
        code = run.ends()

    assert code == 0
    assert len(runs_in(file)) == 1
    assert "died" not in run.output


async def test_a_deploy_that_cannot_start_leaves_the_old_workers(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    with supervised(tmp_path, redis_url, prefix, "--processes", "2") as run:
        old = children_of(run.process.pid)
        (tmp_path / "shop" / "broken").touch()

        run.send(signal.SIGHUP)
        run.says("the new worker does not start")

        run.says("rolling restart done")
        assert children_of(run.process.pid) == old
        assert await queue.result(await queue.add("x", {})) in old
    assert "broken deploy" in run.output


async def test_a_worker_is_replaced_after_its_jobs_and_none_is_lost(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    with supervised(tmp_path, redis_url, prefix, "--max-jobs", "5", ready=1) as run:
        (old,) = children_of(run.process.pid)
        first = await queue.add_bulk([("x", {})] * 6)
        assert {await queue.result(job) for job in first} == {old}

        run.says("worker replaced")
        await until(lambda: not is_there(old), timeout=8, message="the old one ended")
        assert await queue.result(await queue.add("x", {})) != old
    assert "6 jobs served" in run.output


async def test_a_worker_that_grew_too_large_is_replaced(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    # Any process has more than that.
    with supervised(tmp_path, redis_url, prefix, "--max-rss", "5", ready=1) as run:
        run.says("MiB of memory")
        run.says("worker replaced")


def test_a_crash_loop_ends_with_70_and_a_last_word(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    # From its second crash on the job runs in a child of its own, and the worker lives.
    more = {"FRAMEWORK_MAX_RESTARTS": "1"}
    with supervised(tmp_path, redis_url, prefix, ready=1, **more) as run:
        for starts in (1, 2):
            while run.output.count('"worker ready"') < starts:
                assert run.process.poll() is None, run.output
                time.sleep(0.01)
            (worker,) = children_of(run.process.pid)
            os.kill(worker, signal.SIGKILL)
        code = run.ends(timeout=20)

    assert code == 70
    assert run.output.count('"worker died"') == 2
    assert "giving up" in run.output
    assert '"last": "killed by SIGKILL"' in run.output


def heard_from(listener: socket.socket) -> bytes:
    """What systemd hears next beside signs of life."""
    while (said := listener.recv(200)) == b"WATCHDOG=1":
        pass
    return said


async def test_systemd_hears_of_the_start_and_the_stop(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(15)
        more = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"}
        with supervised(tmp_path, redis_url, prefix, ready=1, **more) as run:
            assert heard_from(listener) == b"READY=1"
            assert listener.recv(200) == b"WATCHDOG=1"
            run.send(signal.SIGTERM)
            assert heard_from(listener) == b"STOPPING=1"
            code = run.ends()

    assert code == 0


SLOW_AFTER_THE_FIRST = """
    import time
    from pathlib import Path
    try:
        Path(__file__).with_name("first").touch(exist_ok=False)
    except FileExistsError:
        Path(__file__).with_name("slow").touch()
        while not Path(__file__).with_name("go").exists():
            time.sleep(0.01)
"""


def said_in_the_end(listener: socket.socket) -> list[bytes]:
    """All that systemd has not heard yet."""
    listener.setblocking(False)
    said = []
    with suppress(BlockingIOError):
        while True:
            said.append(listener.recv(200))
    return said


@pytest.mark.parametrize("is_reload", [False, True])
async def test_systemd_hears_no_ready_once_a_slow_start_is_stopped(
    tmp_path: Path, redis_url: str, prefix: str, is_reload: bool
) -> None:
    write_package(tmp_path, "shop", mail=DEMO, deploy=SLOW_AFTER_THE_FIRST)
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        options = ["--processes", "1" if is_reload else "2"]
        with supervised(tmp_path, redis_url, prefix, *options, ready=1, NOTIFY_SOCKET=path) as run:
            if is_reload:
                listener.settimeout(15)
                assert listener.recv(200) == b"READY=1"
                run.send(signal.SIGHUP)
                assert listener.recv(200).startswith(b"RELOADING=1")
            await until((tmp_path / "shop" / "slow").exists, message="slow start")
            run.send(signal.SIGTERM)
            code = run.ends()

        assert (code, said_in_the_end(listener)) == (0, [b"STOPPING=1"])


async def test_a_reload_during_the_start_waits_for_it(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    write_package(tmp_path, "shop", mail=DEMO, deploy=SLOW_AFTER_THE_FIRST)
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        options = ["--processes", "2"]
        with supervised(tmp_path, redis_url, prefix, *options, ready=1, NOTIFY_SOCKET=path) as run:
            await until((tmp_path / "shop" / "slow").exists, message="slow start")
            run.send(signal.SIGHUP)
            (tmp_path / "shop" / "go").touch()
            listener.settimeout(15)

            assert listener.recv(200) == b"READY=1"
            assert listener.recv(200).startswith(b"RELOADING=1")
            assert listener.recv(200) == b"READY=1"
            run.says("rolling restart done")
            assert run.output.count('"worker replaced"') == 2


async def test_a_reload_is_heeded_before_the_supervisor_has_imported_what_it_needs(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    with supervised(tmp_path, redis_url, prefix, ready=0) as run:
        await until(lambda: children_of(run.process.pid), timeout=15, message="the first worker")
        run.send(signal.SIGHUP)
        run.says("rolling restart done")

        assert run.output.count('"worker replaced"') == 1


TWO_QUEUES = """
    from typing import Any
    from framework import Job, processor

    @processor("greetings")
    async def greet(job: Job[dict[str, Any]]) -> None: ...

    @processor("partings")
    async def part(job: Job[dict[str, Any]]) -> None: ...
"""


async def test_all_workers_run_the_queues_that_were_named(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    write_package(tmp_path, "shop", mail=TWO_QUEUES)
    with supervised(tmp_path, redis_url, prefix, "--processes", "2", "--only", "partings") as run:
        run.send(signal.SIGTERM)
        run.ends()

    ready = [json.loads(line) for line in run.lines if '"worker ready"' in line]
    assert [one["queue"] for one in ready] == ["partings", "partings"]


def test_a_queue_that_is_not_there_ends_the_start(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    write_package(tmp_path, "shop", mail=TWO_QUEUES)
    told = environment_of(redis_url, prefix)
    with command("run", "shop", "--only", "partngs", cwd=tmp_path, environment=told) as run:
        code = run.ends()

    assert code == 78
    assert "shop has no subpackage and no queue partngs" in run.output
    assert "queues: greetings, partings" in run.output
    assert "Did you mean partings?" in run.output


async def test_a_second_signal_ends_all_within_two_seconds(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    file = tmp_path / "runs"
    with supervised(tmp_path, redis_url, prefix, "--processes", "2") as run:
        jobs = await queue.add_bulk([("x", {"file": str(file), "sleep": 60})] * 20)
        await until(lambda: len(runs_in(file)) == 20, message="all run")

        run.send(signal.SIGINT)
        run.says("stopping")
        run.send(signal.SIGINT)
        watch = Stopwatch()
        code = run.ends()
        took = watch.seconds

    assert code == 0
    assert took < 2.0
    for job in jobs:
        assert await queue.state(job.id) == "waiting"
    given_back = await queue.job(jobs[0].id)
    assert given_back is not None
    assert given_back.attempts_made == 0


async def test_without_a_supervisor_there_is_one_process(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    with supervised(tmp_path, redis_url, prefix, "--processes", "0", ready=1) as run:
        assert await queue.result(await queue.add("x", {})) == run.process.pid
        assert children_of(run.process.pid) == []
        run.send(signal.SIGTERM)
        assert run.ends() == 0


def test_what_is_wrong_with_redis_is_said_once_for_all_worker_processes(
    tmp_path: Path, prefix: str
) -> None:
    evicting = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with (
        one_server(tmp_path / "redis", *evicting) as server,
        supervised(tmp_path, server.url, prefix, "--processes", "2") as run,
    ):
        run.says("may evict keys")

    assert run.output.count("may evict keys") == 1
    assert '"maxmemory_policy": "allkeys-lru"' in run.output


async def test_a_worker_that_cannot_reach_redis_is_no_crash_loop(
    tmp_path: Path, private_server: EmbeddedServer
) -> None:
    address = private_server.start()
    more = {"FRAMEWORK_MAX_RESTARTS": "1", "FRAMEWORK_START_TIMEOUT": "0.5"}
    with supervised(tmp_path, address.url, "away", ready=1, **more) as run:
        (worker,) = children_of(run.process.pid)
        os.kill(address.pid, signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)
        while run.output.count('"ending": "exit code 69"') < 3:  # noqa: ASYNC110 - a process tells
            await anyio.sleep(0.05)

        private_server.start()

        settings = Settings(redis_url=SecretStr(address.url), prefix="away")
        async with Application(Declarations("tests"), settings=settings) as app:
            line = app.queue("greetings")
            assert await line.result(await line.add("x", {})) in children_of(run.process.pid)
        run.send(signal.SIGTERM)
        assert run.ends() == 0
    assert "giving up" not in run.output
