"""The programs that are measured, each in a process of its own for each run."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.plan import OURS, Plan, Workload
from tests.support.node_process import node_binary

BENCH = Path(__file__).parent / "node" / "bench.js"
LONGEST_RUN = 600.0


@dataclass(frozen=True)
class Run:
    """What one run came to. The peer prints these as one line of JSON.

    Args:
        library: The measured library and its version.
        runtime: What it runs on.
        cpu_seconds: The peer's own, user and system.
        redis_cpu_seconds: The server's, over the same time.
        redis_commands: The commands it ran, those inside scripts included.
    """

    library: str
    runtime: str
    jobs: int
    seconds: float
    cpu_seconds: float
    redis_cpu_seconds: float
    redis_commands: int

    @property
    def jobs_per_second(self) -> float:
        return self.jobs / self.seconds


def run_peer(peer: str, workload: Workload, plan: Plan, redis_url: str) -> Run:
    """Run one peer once.

    Raises:
        SystemExit: It failed; the text has what it wrote to standard error.
    """
    arguments = ["--redis", redis_url, "--jobs", str(plan.jobs), "--keep", plan.keep]
    done = subprocess.run(  # noqa: S603 - our own programs
        [*program(peer), *workload.arguments, *arguments],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=os.environ | {"NODE_ENV": "production"},
        timeout=LONGEST_RUN,
    )
    if done.returncode != 0:
        raise SystemExit(f"{peer} cannot run {workload.title}:\n{done.stderr}")
    # The last line: a peer may log before it.
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def program(peer: str) -> list[str]:
    """Name the program of a peer; all take the same arguments."""
    if peer == OURS:
        return [sys.executable, "-m", "tests.benchmarks.ours"]
    return [node_binary(), str(BENCH), "--major", peer.removeprefix("bullmq")]
