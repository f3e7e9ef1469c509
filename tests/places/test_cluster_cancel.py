"""On a cluster, runs of two worker processes are cancelled, in queues of different slots."""

from pathlib import Path

import anyio
import pytest

from framework.app.application import Application
from framework.wire.slots import slot_of
from tests.support.apps import declared, settings_of
from tests.support.cancellable import PLACES, Place, Runs, package_of
from tests.support.clusters import Cluster
from tests.support.command import command, write_package

MAIL, POST = "{mail}", "{post}"


@pytest.mark.parametrize("place", PLACES)
async def test_cancelling_reaches_the_process_that_runs_the_job_in_each_slot(
    tmp_path: Path, a_cluster: Cluster, prefix: str, place: Place
) -> None:
    assert a_cluster.master_of(slot_of(MAIL)) is not a_cluster.master_of(slot_of(POST))
    modules = {name: package_of(place, f"{{{name}}}") for name in ("mail", "post")}
    write_package(tmp_path, "shop", **modules)
    told = {"REDIS_URL": a_cluster.url, "FRAMEWORK_PREFIX": prefix}
    async with Application(declared(), settings=settings_of(a_cluster.url, prefix)) as app:
        with command("run", "shop", "--processes", "2", cwd=tmp_path, environment=told):
            async with anyio.create_task_group() as tasks:
                for queue in (MAIL, POST):
                    tasks.start_soon(Runs(app.queue(queue), tmp_path / queue).cancel_each)
