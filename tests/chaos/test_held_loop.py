"""Handlers that let nobody else run for three times as long as their locks live.

One holds the event loop, one the whole interpreter; rivals of both kinds would take their jobs.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from framework import Job, Settings, processor
from framework.app.application import Application
from tests.support.apps import declared, working
from tests.support.command import command, write_package
from tests.support.node import NodePeer
from tests.support.until import until

LOCK = 10.0
HOLD = 3 * LOCK
SHOP = f"""
    import ctypes, os, time
    from datetime import timedelta
    from typing import Any
    from framework import Job, processor

    @processor("held", lock_duration=timedelta(seconds={LOCK}))
    async def hold(job: Job[Any]) -> str:
        with open(job.data["file"], "a") as file:
            file.write(job.id + "\\n")
        if job.data["what"] == "loop":
            time.sleep({HOLD})
        else:
            ctypes.PyDLL(None).usleep({int(HOLD * 1e6)})
        return "held"
"""


async def test_a_held_loop_and_a_held_interpreter_keep_their_locks_before_rivals(
    tmp_path: Path, redis_url: str, prefix: str, node: NodePeer
) -> None:
    write_package(tmp_path, "shop", mail=SHOP)
    file = tmp_path / "runs"
    environment = {
        "REDIS_URL": redis_url,
        "FRAMEWORK_PREFIX": prefix,
        "FRAMEWORK_LOG_FORMAT": "json",
    }
    stolen: list[str] = []

    @processor("held")
    async def steal(job: Job[Any]) -> str:
        stolen.append(job.id)
        return "stolen"

    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    rival = Application(declared(steal), settings=settings)
    asked = ("run", "shop", "--processes", "2")
    with command(*asked, cwd=tmp_path, environment=environment) as run:
        async with Application(declared(), settings=settings) as app:
            await until(lambda: run.output.count("worker ready") == 2, timeout=20, message="ready")
            queue = app.queue("held")
            jobs = {
                what: await queue.add("x", {"what": what, "file": str(file)})
                for what in ("loop", "interpreter")
            }
            await until(lambda: len(runs_in(file)) == 2, timeout=20, message="both run")
            thief = await node.work("held", lockDuration=1000, stalledInterval=1000)
            async with working(rival):
                results = [
                    await queue.result(job, timeout=timedelta(minutes=2)) for job in jobs.values()
                ]
                assert await thief.runs() == {}
            ended = [await queue.job(job.id) for job in jobs.values()]

    assert (results, stolen) == (["held"] * 2, [])
    assert sorted(runs_in(file)) == sorted(job.id for job in jobs.values())
    assert [(job.attempts_started, job.attempts_made) for job in ended if job] == [(1, 1)] * 2
    blocked = {one.get("job"): one for one in told(run.lines, "event loop blocked")}
    of_loop = blocked[jobs["loop"].id]
    assert of_loop["queue"] == "held"
    assert of_loop["seconds"] >= 5
    assert "time.sleep" in of_loop["stack"]
    (of_all,) = told(run.lines, "worker stands still")
    assert of_all["jobs"] == [f"held:{jobs['interpreter'].id}"]
    assert of_all["seconds"] >= 5
    assert "in hold" in of_all["stack"]


def told(lines: list[str], text: str) -> list[Any]:
    return [json.loads(line) for line in lines if text in line]


def runs_in(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
