"""Measure this framework beside BullMQ on Node: ``python -m tests.benchmarks``.

Environment: ROUNDS (5), JOBS (20000), KEEP (all, or how many completed jobs stay),
PEERS (ours,bullmq6; also bullmq5), WORKLOADS (drain,add_bulk; also add_one, add_many, and with
another concurrency, chunk or number of callers, drain@10, add_bulk@100, add_many@10).
"""

import os
import sys
import time
from itertools import product
from pathlib import Path

from tests.benchmarks.peers import run_peer
from tests.benchmarks.plan import Plan
from tests.benchmarks.private_server import PrivateServer, private_server
from tests.benchmarks.report import Results, as_table, summarize, write_json

RESULTS = Path("bench-results")


def measure(plan: Plan, server: PrivateServer) -> Results:
    """Run all peers by turns, so that a noisy minute hits them alike."""
    results: Results = {
        (workload.title, peer): [] for workload, peer in product(plan.workloads, plan.peers)
    }
    for turn in range(plan.rounds):
        # Who goes first changes from round to round.
        peers = plan.peers if turn % 2 == 0 else plan.peers[::-1]
        for workload, peer in product(plan.workloads, peers):
            server.clear()
            run = run_peer(peer, workload, plan, server.url)
            results[workload.title, peer].append(run)
            sys.stderr.write(
                f"round {turn + 1}/{plan.rounds}  {workload.title}  {peer}  "
                f"{run.jobs_per_second:,.0f} jobs/s\n"
            )
    return results


def main() -> None:
    plan = Plan.read(os.environ)
    with private_server() as server:
        version = server.version
        results = measure(plan, server)
    path = RESULTS / time.strftime("%Y%m%d-%H%M%S.json")
    write_json(path, plan, version, results)
    sys.stdout.write(f"{as_table(summarize(results))}\nwritten to {path}\n")


if __name__ == "__main__":
    main()
