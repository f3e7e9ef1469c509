"""Medians and ratios of a benchmark's runs, as a table and as JSON."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.peers import Run
from tests.benchmarks.plan import OURS, Plan

HEADINGS = (
    "workload",
    "peer",
    "jobs/s",
    "lowest",
    "highest",
    "ratio",
    "CPU µs/job",
    "Redis µs/job",
    "commands/job",
)
LEFT = 2  # so many columns hold words

Results = dict[tuple[str, str], list[Run]]
"""The runs of each workload and peer."""


@dataclass(frozen=True)
class Summary:
    """The medians over all rounds; times are microseconds a job."""

    workload: str
    peer: str
    library: str
    runtime: str
    jobs_per_second: float
    lowest: float
    highest: float
    ratio: float
    cpu: float
    redis_cpu: float
    redis_commands: float

    @property
    def row(self) -> tuple[str, ...]:
        rates = (self.jobs_per_second, self.lowest, self.highest)
        costs = (self.cpu, self.redis_cpu, self.redis_commands)
        return (
            self.workload,
            self.peer,
            *(f"{rate:,.0f}" for rate in rates),
            f"{self.ratio:.2f}",
            *(f"{cost:.1f}" for cost in costs),
        )


def summarize(results: Results) -> list[Summary]:
    """Take the medians; ratios are to the first peer that is not ours, round by round."""
    summaries = []
    for (workload, peer), runs in results.items():
        rates = [run.jobs_per_second for run in runs]
        reference = [run.jobs_per_second for run in _reference(results, workload)]
        summaries.append(
            Summary(
                workload=workload,
                peer=peer,
                library=runs[0].library,
                runtime=runs[0].runtime,
                jobs_per_second=median(rates),
                lowest=min(rates),
                highest=max(rates),
                ratio=median(rate / other for rate, other in zip(rates, reference, strict=True)),
                cpu=median(run.cpu_seconds / run.jobs for run in runs) * 1e6,
                redis_cpu=median(run.redis_cpu_seconds / run.jobs for run in runs) * 1e6,
                redis_commands=median(run.redis_commands / run.jobs for run in runs),
            )
        )
    return summaries


def _reference(results: Results, workload: str) -> list[Run]:
    peers = [peer for its_workload, peer in results if its_workload == workload]
    return results[workload, next((peer for peer in peers if peer != OURS), peers[0])]


def as_table(summaries: Iterable[Summary]) -> str:
    """Lay the summaries out in columns."""
    rows = [HEADINGS, *(summary.row for summary in summaries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows) + "\n"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if n < LEFT else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def write_json(path: Path, plan: Plan, server: str, results: Results) -> None:
    """Write every run and the summaries, for who compares two benchmarks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "server": server,
        "plan": asdict(plan),
        "summaries": [asdict(summary) for summary in summarize(results)],
        "runs": [
            {"workload": workload, "peer": peer, **asdict(run)}
            for (workload, peer), runs in results.items()
            for run in runs
        ],
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
