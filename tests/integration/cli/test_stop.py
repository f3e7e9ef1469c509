"""How real processes stop: by their deadline, with every job back in line and no attempt burnt."""

from pathlib import Path

import pytest

from framework import Queue
from tests.integration.docs.test_examples import free_port
from tests.support.command import command
from tests.support.fifty import (
    all_wait_unburnt,
    environment_of,
    fifty_run,
    stop_told_twice,
    stopped_within,
    write_shop,
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write_shop(tmp_path)


async def test_fifty_long_jobs_hold_up_no_stop_for_longer_than_its_deadline(
    package: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    environment = environment_of(redis_url, prefix, 5)

    with command("run", "shop", cwd=package, environment=environment) as run:
        await fifty_run(queue)
        code = stopped_within(run, 7)

    assert code == 0
    await all_wait_unburnt(queue)
    assert "Traceback" not in run.output


@pytest.mark.parametrize("processes", ["0", "2"])
async def test_a_second_sigterm_waits_for_no_job(
    package: Path, redis_url: str, prefix: str, queue: Queue, processes: str
) -> None:
    await stop_told_twice(package, queue, environment_of(redis_url, prefix, 60), processes)


async def test_a_web_app_that_works_gives_its_jobs_back_too(
    package: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    environment = environment_of(redis_url, prefix, 0.5)

    with command(
        "serve", "shop.web:api", str(free_port()), cwd=package, environment=environment
    ) as run:
        await fifty_run(queue)
        stopped_within(run, 3)

    await all_wait_unburnt(queue)
    assert "Traceback" not in run.output


def test_a_web_app_that_works_does_not_start_without_redis(package: Path) -> None:
    nowhere = {"REDIS_URL": "redis://127.0.0.1:1", "FRAMEWORK_START_TIMEOUT": "0.3"}

    with command(
        "serve", "shop.web:api", str(free_port()), cwd=package, environment=nowhere
    ) as run:
        code = run.ends()

    assert code == 69
    assert "cannot reach redis at 127.0.0.1:1" in run.output
    assert "Traceback" not in run.output
