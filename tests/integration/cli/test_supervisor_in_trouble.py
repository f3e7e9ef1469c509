"""`framework run` where the system refuses processes, stands still, or gives no place to write."""

import os
import resource
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from framework import Queue
from framework.app.worker_process import Errand, WorkerProcess
from tests.integration.cli.test_supervisor import is_there, supervised
from tests.support.command import children_of
from tests.support.until import until


async def test_a_supervisor_that_may_start_no_process_tries_until_it_may(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(15)
        with supervised(tmp_path, redis_url, prefix, ready=1, NOTIFY_SOCKET=path) as run:
            assert listener.recv(200) == b"READY=1"  # the supervisor has all that it needs
            pid = run.process.pid
            (worker,) = children_of(pid)
            _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
            os.kill(worker, signal.SIGKILL)
            run.says("no worker process can be started")
            run.send(signal.SIGHUP)
            run.says("rolling restart done")
            assert children_of(pid) == []

            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))

            assert await queue.result(await queue.add("x", {})) in children_of(pid)
            run.send(signal.SIGTERM)
            assert run.ends() == 0
    assert "Traceback" not in run.output


async def test_a_restart_of_all_doubles_no_worker_that_is_to_start_again(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    with supervised(tmp_path, redis_url, prefix, ready=1) as run:
        (worker,) = children_of(run.process.pid)
        os.kill(worker, signal.SIGKILL)
        run.says("worker died")
        run.send(signal.SIGHUP)
        run.says("rolling restart done")

        assert len(children_of(run.process.pid)) == 1, run.output


async def test_a_worker_process_needs_no_place_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")

    process = WorkerProcess(Errand("nothing_of_this_name"), 1)

    assert process.wait() == 78
    await until(lambda: not is_there(process.pid), message="it ended")
    process.close()
