"""Probes of real workers, and `framework health`."""

import json
import signal
import socket
from pathlib import Path

from anyio import to_thread

from framework import Queue
from tests.support.command import Command, command, write_package
from tests.support.probes import Answer, port_of, probe
from tests.support.servers import one_server
from tests.support.until import until

SHOP = """
    import time
    import anyio
    from pydantic import BaseModel
    from framework import Job, processor

    class Greet(BaseModel):
        sleeps: float = 0
        blocks: float = 0

    @processor("greetings", concurrency=2)
    async def greet(job: Job[Greet]) -> None:
        time.sleep(job.data.blocks)
        await anyio.sleep(job.data.sleeps)
"""


def environment_of(redis_url: str, prefix: str, **more: str) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "FRAMEWORK_PREFIX": prefix,
        "FRAMEWORK_HEALTH_HOST": "127.0.0.1",
        **more,
    }


async def answered(port: int, path: str, code: int) -> Answer:
    """Probe until the answer has this code."""

    async def is_it() -> Answer | None:
        found = await to_thread.run_sync(probe, port, path)
        return found if found.code == code else None

    return await until(is_it, timeout=10, message=f"{path} answers {code}")


async def test_probes_tell_how_workers_do(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=SHOP)
    environment = environment_of(redis_url, prefix, FRAMEWORK_WATCHDOG="0.6")

    with command("run", "shop", "--health-port", "0", cwd=tmp_path, environment=environment) as run:
        port = port_of(run)
        await answered(port, "/readyz", 200)
        for _ in range(3):
            await queue.add("greet", {"sleeps": 600})

        async def detail() -> Answer | None:
            found = probe(port, "/healthz")
            return found if found.body["queues"]["greetings"]["waiting"] == 1 else None

        told = (await until(detail, message="one job waits")).body
        alive, unknown = probe(port, "/livez"), probe(port, "/metrics")
        run.send(signal.SIGTERM)
        stopping = await answered(port, "/readyz", 503)
        run.send(signal.SIGTERM)
        code = run.ends(timeout=5)

    seen = told["queues"]["greetings"]
    assert (seen["running"], seen["concurrency"], seen["stuck"]) == (2, 2, False)
    assert 0 <= seen["oldest_waiting_seconds"] < 10
    assert 0 <= seen["last_fetch_seconds_ago"] < 10
    assert (told["status"], told["phase"], told["problems"]) == ("ready", "working", [])
    assert told["redis"]["reachable"] is True
    assert set(told["versions"]) == {"framework", "python", "redis-py"}
    assert told["uptime_seconds"] > 0
    assert (alive.code, unknown.code, code) == (200, 404, 0)
    assert stopping.body["problems"] == ["it is stopping"]


async def test_a_blocked_loop_does_not_keep_probes_from_an_answer(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=SHOP)
    environment = environment_of(redis_url, prefix, FRAMEWORK_LIVE_TIMEOUT="1.5")

    with command("run", "shop", "--health-port", "0", cwd=tmp_path, environment=environment) as run:
        port = port_of(run)
        await answered(port, "/readyz", 200)
        await queue.add("greet", {"blocks": 3})
        dead = await answered(port, "/livez", 503)
        await answered(port, "/livez", 200)

    assert dead.body["status"] == "not alive"
    assert dead.body["problems"][0].startswith("the event loop stands still for")


async def test_redis_that_goes_away_and_comes_back_is_seen(tmp_path: Path) -> None:
    write_package(tmp_path, "shop", mail=SHOP)
    with one_server(tmp_path / "redis") as server:
        environment = environment_of(server.url, "t")
        with command(
            "run", "shop", "--health-port", "0", cwd=tmp_path, environment=environment
        ) as run:
            port = port_of(run)
            await answered(port, "/readyz", 200)
            server.ask("CONFIG", "SET", "requirepass", "nobody knows")
            server.ask_as("nobody knows", "CLIENT", "KILL", "TYPE", "normal")
            gone = await answered(port, "/healthz", 503)
            alive = probe(port, "/livez")
            server.ask_as("nobody knows", "CONFIG", "SET", "requirepass", "")
            back = await answered(port, "/healthz", 200)

    assert gone.body["redis"]["reachable"] is False
    assert str(server.port) in gone.body["problems"][0]
    assert alive.code == 200
    assert back.body["redis"]["last_outage_seconds_ago"] is not None


def test_a_taken_port_ends_with_69_and_a_fix(tmp_path: Path) -> None:
    write_package(tmp_path, "shop", mail=SHOP)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"FRAMEWORK_HEALTH_HOST": "127.0.0.1", "FRAMEWORK_HEALTH_PORT": port}
        with command("run", "shop", cwd=tmp_path, environment=environment) as run:
            code = run.ends()

    assert code == 69
    assert f"health port {port} is taken" in run.output
    assert "--health-port" in run.output


def health(*arguments: str, cwd: Path, **environment: str) -> tuple[int, Command]:
    with command("health", *arguments, cwd=cwd, environment=environment) as asked:
        return asked.ends(), asked


async def test_the_health_command_ends_as_containers_expect(
    tmp_path: Path, redis_url: str, prefix: str
) -> None:
    write_package(tmp_path, "shop", mail=SHOP)
    environment = environment_of(redis_url, prefix, FRAMEWORK_HEALTH_PORT="0")

    with command("run", "shop", cwd=tmp_path, environment=environment) as run:
        port = port_of(run)
        await answered(port, "/readyz", 200)
        by_port, _ = health(cwd=tmp_path, FRAMEWORK_HEALTH_PORT=str(port))
        by_number, _ = health(str(port), cwd=tmp_path)
        by_url, told = health(
            f"http://127.0.0.1:{port}/healthz", cwd=tmp_path, http_proxy="http://127.0.0.1:1"
        )
        run.send(signal.SIGTERM)
        run.ends()
    gone, silence = health(f"127.0.0.1:{port}", cwd=tmp_path)

    assert (by_port, by_number, by_url, gone) == (0, 0, 0, 1)
    assert json.loads(told.output)["queues"]["greetings"]["stuck"] is False
    assert json.loads(silence.output)["status"] == "no answer"


def test_without_an_address_the_health_command_names_the_fix(tmp_path: Path) -> None:
    code, asked = health(cwd=tmp_path)

    assert code == 78
    assert "FRAMEWORK_HEALTH_PORT" in asked.output
