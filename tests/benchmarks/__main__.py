"""Measure this framework beside its peers: ``python -m tests.benchmarks``.

Environment: ROUNDS (5), JOBS (20000), PEERS (all; ``node``, say, or ``node,celery``), WORKLOADS
(a name of `workloads`, with another concurrency, chunk, rate or number of callers after an @:
drain@10, add_bulk@100), KEEP (all, or how many completed jobs stay), TRIES (3: of a turn
in which something else took more than a tenth of the machine), REDIS_SERVER (its binary),
OUT (where the JSON goes).
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path

from tests.benchmarks.field import FIELD
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import PeerError
from tests.benchmarks.report import Results, Run, as_text, summarize, write_json
from tests.benchmarks.server import PrivateServer, private_server
from tests.benchmarks.targets import check_targets
from tests.benchmarks.venvs import make_venv
from tests.benchmarks.ways import Turn, measure, scratch
from tests.benchmarks.workloads import Workload

RESULTS = Path("bench-results")
CALM = 10.0  # percent of the machine that others may take


def measure_all(plan: Plan, server: PrivateServer) -> Results:
    """Run all peers by turns, so that a noisy minute hits them alike.

    Ctrl-C or SIGTERM ends it early; what was measured by then is reported.
    """
    results = Results()
    with suppress(KeyboardInterrupt):
        for turn in range(plan.rounds):
            # Who goes first changes from round to round.
            peers = plan.peers if turn % 2 == 0 else plan.peers[::-1]
            measure_round(plan, server, results, peers, f"round {turn + 1}/{plan.rounds}")
    return results


def measure_round(
    plan: Plan, server: PrivateServer, results: Results, peers: Sequence[str], title: str
) -> None:
    """Run each peer once at each workload."""
    for workload, peer in product(plan.workloads, peers):
        if why := FIELD[peer].reason(workload.title):
            results.cannot(workload, peer, why)
            continue
        run = run_once(plan, server, workload, peer)
        sys.stderr.write(f"{title}  {workload.title}  {peer}  {run}\n")
        if run.error:
            results.cannot(workload, peer, run.error)
        else:
            results.add(workload, peer, run)


def run_once(plan: Plan, server: PrivateServer, workload: Workload, peer: str) -> Run:
    """Run one peer at one workload; again, if something else kept the machine busy meanwhile.

    What goes wrong is a result too, for the others go on.
    """
    runs = []
    for _ in range(plan.tries):
        with scratch() as folder:
            turn = Turn(FIELD[peer], workload, plan, server, Path(folder))
            try:
                metrics = measure(turn)
            except PeerError as error:
                return Run({}, error=str(error))
        runs.append(Run(metrics, **turn.versions))
        if runs[-1].noise < CALM:
            break
    return min(runs, key=lambda run: run.noise)


def main() -> None:
    plan = Plan.read(os.environ)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for peer in plan.peers:
        make_venv(peer)
    with private_server(os.environ) as server:
        version = server.version
        results = measure_all(plan, server)
    summaries = summarize(plan, results)
    targets = check_targets(summaries)
    name = time.strftime("%Y%m%d-%H%M%S.json")
    path = Path(os.environ.get("OUT") or RESULTS / name)
    write_json(path, plan, version, results, targets)
    sys.stdout.write(as_text(plan, version, summaries, targets))
    sys.stdout.write(f"\nwritten to {path}\n")


if __name__ == "__main__":
    main()
