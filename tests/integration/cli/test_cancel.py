"""A job that runs in one of two worker processes is cancelled from a process of its own."""

from pathlib import Path

import pytest

from framework import Queue
from tests.support.cancellable import PLACES, Place, Runs, package_of
from tests.support.command import command, write_package


@pytest.mark.parametrize("place", PLACES)
async def test_cancelling_reaches_the_process_that_runs_the_job_and_no_other(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue, place: Place
) -> None:
    write_package(tmp_path, "shop", mail=package_of(place, queue.name))
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}
    with command("run", "shop", "--processes", "2", cwd=tmp_path, environment=told):
        await Runs(queue, tmp_path / "runs").cancel_each()
