"""``framework web``, and the plugin's endpoints under ``framework dev``."""

import json
import os
import signal
import socket
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.command import command, write_package
from tests.support.plugins import write_plugin
from tests.support.stopwatch import Stopwatch

PATIENCE = 15
SOURCES = Path(__file__).parents[3] / "plugins" / "web"
JOBS = """
    from framework import Context, Job
    from framework_web import task

    @task("double")
    async def double(job: Job[int], ctx: Context) -> int:
        await ctx.stream("working")
        return 2 * job.data
"""


@pytest.fixture
def environment(redis_url: str, prefix: str, tmp_path: Path) -> dict[str, str]:
    """What a command sees: the plugin installed, and everybody may ask."""
    site = write_plugin(tmp_path / "site", "web", {}, value="framework_web.plugin:plugin")
    write_package(tmp_path, "shop", jobs=JOBS)
    return {
        "PYTHONPATH": os.pathsep.join([str(site), str(SOURCES), *sys.path]),
        "FRAMEWORK_REDIS_URL": redis_url,
        "FRAMEWORK_PREFIX": prefix,
        "FRAMEWORK_WEB_OPEN": "true",
    }


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def ask(url: str, body: bytes | None = None) -> bytes:
    """Ask until somebody listens."""
    watch = Stopwatch()
    while True:
        try:
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - our own server
            with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310 - as above
                told: bytes = answer.read()
                return told
        except OSError:
            if watch.seconds > PATIENCE:
                raise
            time.sleep(0.02)


def test_tasks_are_served_by_a_command_of_their_own(
    environment: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    with command("web", "shop", "--port", port, cwd=tmp_path, environment=environment) as run:
        found = json.loads(ask(f"http://127.0.0.1:{port}/tasks"))
        run.send(signal.SIGTERM)
        run.ends()

    assert [one["type"] for one in found["types"]] == ["double"]


def test_streams_end_in_order_when_their_server_is_told_to_stop(
    environment: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with command("web", "shop", "--port", port, cwd=tmp_path, environment=environment) as run:
        started = json.loads(ask(f"{base}/tasks/double", b"21"))
        urls = [f"{base}{started['links']['events']}", f"{base}/events"]
        with ExitStack() as stack:
            streams = [stack.enter_context(urllib.request.urlopen(one)) for one in urls]  # noqa: S310 - our own server
            begun = [one.readline() for one in streams]
            run.send(signal.SIGTERM)
            for one in streams:
                one.read()  # it would raise where the end of the answer were missing
        run.ends()

    assert begun == [b"retry: 2000\n"] * 2
    assert "Traceback" not in run.output


def test_dev_serves_tasks_and_works_them(environment: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    given = {**environment, "PORT": port}
    with command("dev", "shop", "--no-reload", cwd=tmp_path, environment=given) as run:
        started = json.loads(ask(f"http://127.0.0.1:{port}/tasks/double", b"21"))
        events = ask(f"http://127.0.0.1:{port}{started['links']['events']}").decode()
        run.send(signal.SIGINT)
        run.ends()

    assert '"data":"working"' in events
    assert '"result":42' in events
