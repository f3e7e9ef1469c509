"""`framework dev`: a laptop with nothing installed, from the first start to Ctrl-C."""

import http.client
import os
import signal
import socket
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import SecretStr

from framework import Application, JobState, Queue, Settings
from framework.app.discovery import Declarations
from framework.server import EmbeddedServer, status
from tests.support.command import children_of, command, write_package
from tests.support.stopwatch import Stopwatch
from tests.support.until import until

DATA_DIR = ".framework"
GREETER = """
    import anyio
    from pydantic import BaseModel
    from framework import Job, processor

    class Greet(BaseModel):
        name: str

    @processor("greetings")
    class Greeter:
        async def process(self, job: Job[Greet]) -> str:
            if job.data.name == "slow" and job.attempts_started == 1:
                await anyio.sleep(60)
            return f"Hello, {job.data.name}!"
"""
WEB = """
    import asyncio

    async def api(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/slow":
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            await asyncio.Event().wait()
        await send({"type": "http.response.body", "body": b"here"})
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_package(tmp_path, "shop", mail=GREETER)
    return tmp_path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def application(folder: Path, server: EmbeddedServer) -> Application:
    settings = Settings(redis_url=SecretStr(server.start().url))
    return Application(Declarations("tests"), settings=settings)


def test_ctrl_c_ends_everything_within_five_seconds_with_0(shop: Path) -> None:
    with command("dev", "shop", cwd=shop) as dev:
        dev.says("worker ready")
        watch = Stopwatch()
        dev.send(signal.SIGINT)
        code = dev.ends()

    assert code == 0
    assert watch.seconds < 5
    assert not status(shop / DATA_DIR).running
    assert "Traceback" not in dev.output


async def test_a_delayed_job_survives_a_restart_and_then_runs(shop: Path) -> None:
    with command("dev", "shop", cwd=shop) as dev:
        dev.says("worker ready")
        with EmbeddedServer(shop / DATA_DIR) as server:
            async with application(shop, server) as app:
                job = await app.queue("greetings").add(
                    "greet", {"name": "Ada"}, delay=timedelta(seconds=2)
                )
        dev.send(signal.SIGINT)
        dev.ends()
    assert not status(shop / DATA_DIR).running

    with command("dev", "shop", cwd=shop) as dev:
        dev.says("worker ready")
        with EmbeddedServer(shop / DATA_DIR) as server:
            async with application(shop, server) as app:
                queue = app.queue("greetings")
                result = await queue.result(job.id)

    assert result == "Hello, Ada!"


def test_the_web_app_is_served_and_its_address_shown(shop: Path) -> None:
    (shop / "shop" / "web.py").write_text(dedent(WEB))
    (shop / "pyproject.toml").write_text('[tool.framework]\ntry = ["curl {url}/hi"]\n')
    port = free_port()

    with command("dev", "shop", cwd=shop, environment={"PORT": str(port)}) as dev:
        dev.says(f"curl http://127.0.0.1:{port}/hi")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        body = connection.getresponse().read()
        connection.close()
        dev.send(signal.SIGINT)
        code = dev.ends()

    assert body == b"here"
    assert code == 0


def test_an_answer_under_way_is_cut_off_at_the_end_without_a_traceback(shop: Path) -> None:
    (shop / "shop" / "web.py").write_text(dedent(WEB))
    port = free_port()

    with command("dev", "shop", "--port", str(port), cwd=shop) as dev:
        dev.says(f"http://127.0.0.1:{port}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        connection.request("GET", "/slow")
        began = connection.getresponse().read(5)
        dev.send(signal.SIGINT)
        code = dev.ends()
        connection.close()

    assert began == b"first"
    assert code == 0
    assert "Traceback" not in dev.output


def test_a_busy_port_is_named_with_another_to_try(shop: Path) -> None:
    (shop / "shop" / "web.py").write_text("api = None\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with command("dev", "shop", "--port", str(port), cwd=shop) as dev:
            code = dev.ends()

    assert code == 69
    assert f"port {port} is taken" in dev.output
    assert f"PORT={port + 1}" in dev.output
    assert not status(shop / DATA_DIR).running


def test_a_first_start_that_fails_ends_with_its_code(tmp_path: Path) -> None:
    write_package(tmp_path, "shop", mail="import a_module_that_is_not_there\n")

    with command("dev", "shop", cwd=tmp_path) as dev:
        code = dev.ends()

    assert code == 78
    assert "a_module_that_is_not_there" in dev.output
    assert "Traceback" not in dev.output


async def test_a_changed_file_is_taken_up(shop: Path) -> None:
    with command("dev", "shop", cwd=shop) as dev:
        dev.says("worker ready")
        with EmbeddedServer(shop / DATA_DIR) as server:
            async with application(shop, server) as app:
                queue = app.queue("greetings")
                mail = shop / "shop" / "mail.py"
                mail.write_text(mail.read_text().replace("Hello", "Good evening"))
                dev.says("reload   shop/mail.py")
                await until(lambda: dev.output.count("worker ready") == 2, timeout=15)
                job = await queue.add("greet", {"name": "Ada"})
                result = await queue.result(job)

    assert result == "Good evening, Ada!"


async def test_a_killed_worker_is_replaced_and_its_job_runs_again_at_once(shop: Path) -> None:
    with command("dev", "shop", cwd=shop) as dev:
        dev.says("worker ready")
        with EmbeddedServer(shop / DATA_DIR) as server:
            async with application(shop, server) as app:
                queue = app.queue("greetings")
                job = await queue.add("greet", {"name": "slow"})
                await until(partial(is_active, queue, job.id))
                (worker,) = workers_of(dev.process.pid)
                os.kill(worker, signal.SIGKILL)
                result = await queue.result(job.id, timeout=timedelta(seconds=15))

        assert result == "Hello, slow!"
        await until(lambda: dev.output.count("worker ready") == 2, message="another is ready")
        assert dev.process.poll() is None


async def is_active(queue: Queue, job_id: str) -> bool:
    return await queue.state(job_id) is JobState.ACTIVE


def workers_of(dev: int) -> list[int]:
    """Return the worker processes of a `framework dev`: below those that it started."""
    return [worker for child in children_of(dev) for worker in children_of(child)]


def test_a_killed_dev_leaves_nothing_running(shop: Path) -> None:
    with command("dev", "shop", cwd=shop) as dev:
        dev.says("worker ready")
        os.kill(dev.process.pid, signal.SIGKILL)
        dev.ends()

        deadline = time.monotonic() + 10
        while status(shop / DATA_DIR).running:
            assert time.monotonic() < deadline, "the embedded server still runs"
            time.sleep(0.02)
