"""``framework gateway`` and ``framework gateway status``."""

import json
import signal
import urllib.request
from pathlib import Path

import anyio
import pytest
from websockets.asyncio.client import connect

from framework import Queue
from tests.plugins.gateway.clients import Client
from tests.plugins.gateway.serving import environment_of
from tests.support.command import command


@pytest.fixture
def environment(redis_url: str, prefix: str, tmp_path: Path) -> dict[str, str]:
    """What a command sees."""
    return environment_of(redis_url, prefix, tmp_path)


async def test_a_gateway_is_served_by_a_command(
    environment: dict[str, str], tmp_path: Path, queue: Queue
) -> None:
    port = environment["PORT"]
    with command("gateway", cwd=tmp_path, environment=environment) as run:
        await anyio.to_thread.run_sync(run.says, "gateway listens")
        where = f"ws://127.0.0.1:{port}/queue/demo/process/2?token=k3y&name=far"
        async with connect(where) as socket:
            job = await queue.add("n", 1)
            worker = Client(socket)
            await worker.receive()
            with command("gateway", "status", cwd=tmp_path, environment=environment) as status:
                code = await anyio.to_thread.run_sync(status.ends)
            await worker.answer(0, result="done")
            result = await queue.result(job)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:  # noqa: ASYNC210 - our own server, and quick
            health = json.load(answer)
        run.send(signal.SIGTERM)
        ended = await anyio.to_thread.run_sync(run.ends)

    assert (result, health["status"], code, ended) == ("done", "ok", 0, 0)
    assert "worker" in status.output
    assert "1 of 2" in status.output
    assert "k3y" not in run.output + status.output
    assert '"message": "gateway closed"' in run.output
    assert "Traceback" not in run.output


def test_a_port_that_is_taken_ends_the_command(environment: dict[str, str], tmp_path: Path) -> None:
    with command("gateway", cwd=tmp_path, environment=environment) as run:
        run.says("gateway listens")
        with command("gateway", cwd=tmp_path, environment=environment) as second:
            assert second.ends() == 69, second.output
        run.send(signal.SIGINT)
        assert run.ends() == 0

    assert "error: cannot listen" in second.output
    assert "Traceback" not in second.output


@pytest.mark.parametrize(
    ("name", "value", "code", "says"),
    [
        ("REDIS_URL", "redis://127.0.0.1:1", 69, "cannot reach redis at 127.0.0.1:1"),
        ("PORT", "many", 78, "PORT: "),
        ("AUTH_SCOPES", "{secret", 78, "AUTH_SCOPES: not of the shape"),
    ],
)
def test_what_is_wrong_at_the_start_ends_it_with_one_line(
    environment: dict[str, str], tmp_path: Path, name: str, value: str, code: int, says: str
) -> None:
    given = {**environment, name: value, "FRAMEWORK_START_TIMEOUT": "0.3"}
    with command("gateway", cwd=tmp_path, environment=given) as run:
        assert run.ends() == code, run.output

    assert says in run.output
    assert "Traceback" not in run.output
    assert "secret" not in run.output


def test_a_status_without_a_gateway_says_so(environment: dict[str, str], tmp_path: Path) -> None:
    with command("gateway", "status", cwd=tmp_path, environment=environment) as run:
        assert run.ends() == 69

    assert "error: no gateway answers at http://127.0.0.1:" in run.output
