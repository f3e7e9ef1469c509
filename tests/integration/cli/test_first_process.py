"""`framework run` as the first process of a container."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from framework import Queue
from tests.support.command import Command, write_package
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
ORPHANS = """
    import subprocess
    from typing import Any
    from framework import Job, processor

    @processor("greetings")
    async def orphan(job: Job[dict[str, Any]]) -> None:
        wait = "while [ ! -e go ]; do sleep 0.01; done &"
        subprocess.run(["sh", "-c", f"{wait} {wait}"], check=True)
"""


def may_be_first() -> bool:
    """Whether this machine lets us make a namespace of processes."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0  # noqa: S603 - util-linux


def children_of(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(found) for found in told.split()]


@contextmanager
def first_process(folder: Path, environment: dict[str, str]) -> Iterator[tuple[Command, int]]:
    """The command as process 1 of a namespace, and its id out here."""
    told = [*UNSHARE, sys.executable, "-m", "framework.cli.main", "run", "shop"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        told,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    run = Command(process)
    try:
        run.says("worker ready")
        (first,) = children_of(process.pid)
        yield run, first
    finally:
        if process.poll() is None:
            process.kill()
        run.ends()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.skipif(not may_be_first(), reason="no namespaces of processes here")
async def test_it_reaps_orphans_and_heeds_signals(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=ORPHANS)
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}
    with first_process(tmp_path, told) as (run, first):
        (worker,) = children_of(first)
        await queue.result(await queue.add("x", {}))
        await until(lambda: len(children_of(first)) == 3, message="orphans came")
        (tmp_path / "go").touch()
        await until(lambda: children_of(first) == [worker], message="they were let go")

        os.kill(first, signal.SIGTERM)
        watch = Stopwatch()
        code = run.ends()

    assert code == 0
    assert watch.seconds < 3
