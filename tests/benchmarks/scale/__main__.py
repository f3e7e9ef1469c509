"""Measure how the cost of a job grows, and draw it: ``python -m tests.benchmarks.scale``.

Environment: CURVES (all; names of `curves`, the others stay as they were measured before), ROUNDS
(2: of each figure the cheapest counts), LARGEST (the largest value that is measured), IMAGE (where
the picture goes), REDIS_SERVER (its binary).
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio

from tests.benchmarks.field import FIELD, OURS
from tests.benchmarks.peers.roles import runtime
from tests.benchmarks.processes import working
from tests.benchmarks.scale.curves import CURVES, Point, prepare
from tests.benchmarks.server import PrivateServer, private_server
from tests.benchmarks.targets import Target
from tests.benchmarks.venvs import make_venv
from tests.benchmarks.watching import Watch, rates

RESULTS = Path("bench-results/scale.json")
IMAGE = Path("docs/explanation/img/scale.png")
WARM_UP = 0.2
SHORT, LONG = 10_000, 1_000_000

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
    """Go along each curve as often as there are rounds; of each figure the cheapest counts.

    Noise only ever adds, and a noisy minute then hits all points alike. Ctrl-C or SIGTERM ends it
    early; the curves that were measured by then are drawn.
    """
    rounds, largest = int(os.environ.get("ROUNDS") or 2), int(os.environ.get("LARGEST") or 10**9)
    found: dict[str, dict[int, Figure]] = {}
    with suppress(KeyboardInterrupt):
        for name in names:
            curve, points = CURVES[name], dict[int, list[Figure]]()
            values = [one for one in curve.values if one <= largest]
            for value in values * rounds:
                figure = measure(curve.point(value), server)
                points.setdefault(value, []).append(figure)
                said = ", ".join(f"{number:,.4g} {what}" for what, number in figure.items())
                sys.stderr.write(f"{curve.says} {value:,}: {said}\n")
            found[name] = {value: cheapest(figures) for value, figures in points.items()}
    return found


def cheapest(figures: list[Figure]) -> Figure:
    return {
        what: (max if what == "jobs/s" else min)(one[what] for one in figures)
        for what in figures[0]
    }


def growth(waiting: Mapping[Any, Figure]) -> str:
    """Say whether a long line costs more; the keys are text where they come from JSON."""
    rates = {int(value): figure["jobs/s"] for value, figure in waiting.items()}
    if not {SHORT, LONG} <= rates.keys():
        return ""
    says = f"a job with {LONG:,} waiting, times one with {SHORT:,}"
    return f"{Target(says, rates[SHORT] / rates[LONG], 1.2, at_least=False)}\n"


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
    signal.signal(signal.SIGTERM, signal.default_int_handler)
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
    sys.stdout.write(f"{growth(curves.get('waiting', {}))}written to {RESULTS} and {image}\n")


if __name__ == "__main__":
    main()
