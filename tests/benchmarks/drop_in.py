"""Measures the drop-in beside PyPI's ``bullmq``: one program, one server, one import changed.

``.venv/bin/python -m tests.benchmarks.drop_in``; BENCH_JOBS (20,000), BENCH_CONCURRENCY (100) and
ROUNDS (3) may be set. The sides take turns, on an empty server each time; the medians and their
ratio are printed. It fails nothing.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from tests.benchmarks.server import PrivateServer, private_server
from tests.benchmarks.venvs import make_venv

OURS, THEIRS = "framework_bullmq", "bullmq"
WANTED = 5.0


def measure(python: str | Path, library: str, server: PrivateServer) -> float:
    """Run one side once, on an empty server; return its jobs a second."""
    server.clear()
    done = subprocess.run(  # noqa: S603 - our own program
        [str(python), "-m", "tests.benchmarks.peers.drained_by", library],
        env={**os.environ, "BENCH_REDIS": server.url},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    sys.stderr.write(f"{library}: {told['rate']:,.0f} jobs/s ({told['runtime']})\n")
    return float(told["rate"])


def main() -> None:
    pythons = {THEIRS: make_venv("bullmq-python"), OURS: Path(sys.executable)}
    rates: dict[str, list[float]] = {library: [] for library in pythons}
    with private_server(os.environ) as server:
        for _ in range(int(os.environ.get("ROUNDS", "3"))):
            for library, python in pythons.items():
                rates[library].append(measure(python, library, server))
    theirs, ours = median(rates[THEIRS]), median(rates[OURS])
    ratio = ours / theirs
    verdict = "reached" if ratio >= WANTED else "not reached"
    sys.stdout.write(f"{THEIRS} {theirs:,.0f} jobs/s, {OURS} {ours:,.0f} jobs/s\n")
    sys.stdout.write(f"{ratio:.1f} times as fast; wanted {WANTED:g} times: {verdict}\n")


if __name__ == "__main__":
    main()
