"""A job that ends its process is quarantined, and nobody else; `make chaos` measures it."""

from pathlib import Path

from framework import Queue
from tests.support.command import command
from tests.support.poison import poison_among_good_ones


async def test_a_job_that_kills_its_workers_is_quarantined_and_no_other(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}

    await poison_among_good_ones(tmp_path, queue, told)


async def test_what_cannot_be_rescued_is_said_and_ends_with_1(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}
    job = await queue.add("x", {})

    for name, job_id, problem in (
        ("nowhere", "1", 'error: there is no queue "nowhere"\n'),
        ("greetings", "77", 'error: job 77 of queue "greetings" is not in Redis'),
        ("greetings", job.id, f'error: job {job.id} of queue "greetings" has not failed\n'),
    ):
        with command("jobs", "rescue", name, job_id, cwd=tmp_path, environment=told) as rescue:
            assert rescue.ends() == 1
        assert rescue.output.startswith(problem)
