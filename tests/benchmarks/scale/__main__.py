"""Measure how the cost of a job grows, and draw it: ``python -m tests.benchmarks.scale``.

Environment: CURVES (all; names of `curves`, the others stay as they were measured before), ROUNDS
(2: the fastest of them counts), LARGEST (the largest value that is measured), IMAGE (where the
picture goes), REDIS_SERVER (its binary).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import anyio

from tests.benchmarks.field import FIELD, OURS
from tests.benchmarks.peers.roles import runtime
from tests.benchmarks.processes import working
from tests.benchmarks.scale.curves import CURVES, Point, prepare
from tests.benchmarks.server import PrivateServer, private_server
from tests.benchmarks.venvs import make_venv
from tests.benchmarks.watching import Watch, rates

RESULTS = Path("bench-results/scale.json")
IMAGE = Path("docs/explanation/img/scale.png")
WARM_UP = 0.2

Figure = dict[str, float]


def measure(point: Point, server: PrivateServer) -> Figure:
    """Prepare Redis, then watch one worker process."""
    server.clear()
    anyio.run(prepare, server.url, point)
    counted = [f"bull:{name}:{line}" for name in point.queues for line in ("wait", "active")]
    count = server.redis.register_script(
        "local n = 0 for _, key in ipairs(KEYS) do n = n + redis.call('LLEN', key) end return n"
    )
    environment = {
        "BENCH_REDIS": server.url,
        "BENCH_HANDLER": point.handler,
        "BENCH_CONCURRENCY": "100",
        **point.variables,
    }
    total = point.before + point.jobs + point.left_over
    passed = point.before + int(point.jobs * WARM_UP)
    with working(FIELD[OURS].program, environment) as workers:
        watch = Watch(server.redis, workers, lambda: int(count(keys=counted)), len(counted) + 1)
        return rates(watch.stretch(total, total - passed, point.left_over))


def measure_curves(names: list[str], server: PrivateServer) -> dict[str, dict[int, Figure]]:
    """Take the cheapest of the rounds at each point: noise only ever adds."""
    rounds, largest = int(os.environ.get("ROUNDS") or 2), int(os.environ.get("LARGEST") or 10**9)
    found: dict[str, dict[int, Figure]] = {}
    for name in names:
        curve = CURVES[name]
        for value in (one for one in curve.values if one <= largest):
            figures = [measure(curve.point(value), server) for _ in range(rounds)]
            best = max(figures, key=lambda one: one["jobs/s"])
            found.setdefault(name, {})[value] = best
            said = ", ".join(f"{number:,.4g} {what}" for what, number in best.items())
            sys.stderr.write(f"{curve.says} {value:,}: {said}\n")
    return found


def known_curves() -> dict[str, dict[int, Figure]]:
    """Return those of an earlier run: a run of one curve leaves the others in the picture."""
    if not RESULTS.exists():
        return {}
    known: dict[str, dict[int, Figure]] = json.loads(RESULTS.read_text(encoding="utf-8"))["curves"]
    return known


def main() -> None:
    names = (os.environ.get("CURVES") or ",".join(CURVES)).split(",")
    if unknown := [name for name in names if name not in CURVES]:
        raise SystemExit(f"CURVES: {', '.join(unknown)} is none of {', '.join(CURVES)}")
    with private_server(os.environ) as server:
        curves = known_curves() | measure_curves(names, server)
        content = {
            "server": server.version,
            "runtime": runtime(),
            "cpus": os.cpu_count(),
            "says": {name: curve.says for name, curve in CURVES.items()},
            "curves": {name: curves[name] for name in CURVES if name in curves},
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    image = Path(os.environ.get("IMAGE") or IMAGE)
    image.parent.mkdir(parents=True, exist_ok=True)
    plot = Path(__file__).parent / "plot.py"
    subprocess.run([make_venv("plots"), plot, RESULTS, image], check=True)  # noqa: S603 - our own
    sys.stdout.write(f"written to {RESULTS} and {image}\n")


if __name__ == "__main__":
    main()
