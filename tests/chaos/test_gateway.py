"""A gateway under its crowd: clients that are cut while they drain a queue, and how quick it is."""

import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest

from framework import Application, JobState, Queue
from framework_gateway import Gateway, GatewaySettings, start_gateway
from tests.chaos.conftest import Tell
from tests.plugins.gateway import serving
from tests.plugins.gateway.serving import environment_of
from tests.plugins.gateway.test_storm import KEEP, all_done, storm
from tests.support.apps import settings_of
from tests.support.command import command
from tests.support.until import until

KEY = "right-key"
JOBS = 20_000
CLIENTS = 100
ROOT = Path(__file__).parents[2]
# On two cores: jobs a second, and milliseconds of one add in a hundred.
LEAST_JOBS = 3_000
MOST_MS = 20
RATE = 1_000
# A machine on which others work has its moments: the best of so many counts.
TRIES = 3


@pytest.fixture
async def gateway(redis_url: str, prefix: str) -> AsyncIterator[Gateway]:
    settings = settings_of(redis_url, prefix)
    async with await start_gateway(settings, [KEY], port=0, settings=GatewaySettings()) as one:
        yield one


@pytest.fixture
def where(redis_url: str, prefix: str, tmp_path: Path) -> Iterator[str]:
    """A gateway as it is run in production: as a command of its own."""
    environment = environment_of(redis_url, prefix, tmp_path)
    with command("gateway", cwd=tmp_path, environment=environment) as run:
        run.says("gateway listens")
        yield f"ws://127.0.0.1:{environment['PORT']}/queue/demo"
        run.send(signal.SIGTERM)
        run.ends()


async def are_listed(queue: Queue, count: int) -> bool:
    return len(await queue.workers()) >= count


@pytest.fixture
async def queue(redis_url: str, prefix: str) -> AsyncIterator[Queue]:
    async with Application(settings=settings_of(redis_url, prefix)) as app:
        yield app.queue("demo")


async def test_a_hundred_clients_cut_at_random_lose_no_job(
    gateway: Gateway, queue: Queue, tell: Tell
) -> None:
    crowd = await storm(gateway, queue, JOBS, CLIENTS, life=60, timeout=240)

    again = sum(crowd.answered.values()) - JOBS
    tell([f"{JOBS} jobs, {crowd.cuts} clients cut, {again} deliveries answered again; none lost"])
    assert crowd.cuts > CLIENTS


async def test_a_gateway_hands_out_three_thousand_jobs_a_second(
    where: str, queue: Queue, tell: Tell
) -> None:
    path = f"{where}/process/10?token={serving.KEY}"
    program = [sys.executable, "-m", "tests.plugins.gateway.crowd", path, str(CLIENTS)]
    rates: list[float] = []
    async with await anyio.open_process(program, cwd=ROOT, stdout=None, stderr=None) as crowd:
        await until(lambda: are_listed(queue, CLIENTS), timeout=30, message="all are connected")
        for turn in range(TRIES):
            await queue.pause()
            for _ in range(JOBS // 1000):
                await queue.add_bulk([("n", {"n": 1}, KEEP)] * 1000)
            began = anyio.current_time()
            await queue.resume()
            counts = await all_done(queue, JOBS * (turn + 1), timeout=120)
            rates.append(JOBS / (anyio.current_time() - began))
            assert counts[JobState.COMPLETED] == JOBS * (turn + 1)
            if rates[-1] >= LEAST_JOBS:
                break
        assert crowd.stdin is not None
        await crowd.stdin.aclose()
        await crowd.wait()

    tell([f"{CLIENTS} clients of 10 jobs: {', '.join(f'{rate:,.0f}' for rate in rates)} jobs/s"])
    assert max(rates) >= LEAST_JOBS


async def test_an_add_takes_less_than_twenty_milliseconds(where: str, tell: Tell) -> None:
    path = f"{where}?token={serving.KEY}"

    async def measured(rate: int) -> dict[str, float]:
        program = [sys.executable, "-m", "tests.plugins.gateway.callers", path, "50", "100"]
        done = await anyio.run_process([*program, str(rate)], cwd=ROOT)
        told: dict[str, float] = json.loads(done.stdout)
        tell(
            [
                f"50 clients, {f'{rate:,} adds/s wanted' if rate else 'all they can'}: "
                f"{told['adds_s']:,.0f} adds/s, p50 {told['p50']:.1f} ms, p99 {told['p99']:.1f} ms"
            ]
        )
        return told

    async def best(rate: int) -> float:
        found = []
        for _ in range(TRIES):
            found.append((await measured(rate))["p99"])
            if found[-1] < MOST_MS:
                break
        return min(found)

    all_they_can, paced = await best(0), await best(RATE)

    assert all_they_can < MOST_MS
    assert paced < MOST_MS
