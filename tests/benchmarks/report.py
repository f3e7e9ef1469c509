"""Medians and ratios of a benchmark's runs, as tables and as JSON."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.field import NODE
from tests.benchmarks.plan import Plan
from tests.benchmarks.targets import Target
from tests.benchmarks.workloads import Workload


@dataclass(frozen=True)
class Run:
    """What one turn came to."""

    metrics: Mapping[str, float]
    library: str = ""
    runtime: str = ""
    error: str = ""

    @property
    def noise(self) -> float:
        """How much of the machine something else took meanwhile, in percent."""
        return self.metrics.get("others %", 0.0)

    def __str__(self) -> str:
        said = ", ".join(f"{value:,.4g} {name}" for name, value in self.metrics.items())
        return said or f"- {self.error}"


class Results:
    """The runs of each workload and peer, and why there are none."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], list[Run]] = {}
        self.reasons: dict[tuple[str, str], str] = {}

    def add(self, workload: Workload, peer: str, run: Run) -> None:
        self.runs.setdefault((workload.title, peer), []).append(run)

    def cannot(self, workload: Workload, peer: str, why: str) -> None:
        self.reasons[workload.title, peer] = why


@dataclass(frozen=True)
class Summary:
    """One peer at one workload, over all rounds.

    Args:
        metrics: The medians.
        lowest, highest: Of the headline.
        ratio: To BullMQ on Node, or the first other peer, of medians; of times the inverse, so
            that more is always better.
        ratios: The lowest and the highest of the rounds' own ratios: how sure that is.
        why: Why there is nothing.
    """

    workload: str
    peer: str
    library: str = ""
    runtime: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    lowest: float = 0
    highest: float = 0
    ratio: float | None = None
    ratios: tuple[float, float] | None = None
    why: str = ""


Summaries = dict[tuple[str, str], Summary]


def summarize(plan: Plan, results: Results) -> Summaries:
    """Take the medians of all that was measured."""
    found: Summaries = {}
    for workload in plan.workloads:
        measured = [peer for peer in plan.peers if (workload.title, peer) in results.runs]
        reference = next((peer for peer in (NODE, *measured) if peer in measured[1:]), None)
        others = results.runs[workload.title, reference] if reference else []
        for peer in plan.peers:
            runs = results.runs.get((workload.title, peer))
            why = results.reasons.get((workload.title, peer), "")
            found[workload.title, peer] = (
                summary_of(workload, peer, runs, others)
                if runs
                else Summary(workload.title, peer, why=why)
            )
    return found


def summary_of(workload: Workload, peer: str, runs: list[Run], others: list[Run]) -> Summary:
    kind = workload.kind
    headline = [run.metrics[kind.metrics[0]] for run in runs]
    theirs = [run.metrics[kind.metrics[0]] for run in others]

    def ratio(own: float, other: float) -> float:
        return other / own if kind.less_is_better else own / other

    # A round that failed on one side has no partner.
    by_round = [ratio(own, other) for own, other in zip(headline, theirs, strict=False)]
    return Summary(
        workload=workload.title,
        peer=peer,
        library=runs[0].library,
        runtime=runs[0].runtime,
        metrics={
            name: median(run.metrics[name] for run in runs)
            for name in kind.metrics
            if name in runs[0].metrics
        },
        lowest=min(headline),
        highest=max(headline),
        ratio=ratio(median(headline), median(theirs)) if theirs else None,
        ratios=(min(by_round), max(by_round)) if by_round else None,
    )


def as_text(plan: Plan, server: str, summaries: Summaries, targets: Iterable[Target]) -> str:
    """Lay everything out for a terminal."""
    parts = [conditions(plan, server, summaries)]
    parts += [
        f"{workload.title}: {workload.kind.says}\n" + table(plan, workload, summaries)
        for workload in plan.workloads
    ]
    if lines := [str(target) for target in targets]:
        parts.append("targets\n" + "\n".join(f"  {line}" for line in lines) + "\n")
    return "\n".join(parts)


def conditions(plan: Plan, server: str, summaries: Summaries) -> str:
    """Say what limits the figures and how fair they are."""
    who = {one.peer: f"{one.library} ({one.runtime})" for one in summaries.values() if one.library}
    lines = [
        f"{platform.platform()}, {os.cpu_count()} cores; {server} at TCP on the same machine,"
        " nothing written to disk",
        f"{plan.rounds} rounds by turns, {plan.jobs:,} jobs a run (fewer for slow peers);"
        f" completed jobs kept on every side: {plan.keep}",
        *(f"{peer}: {versions}" for peer, versions in who.items()),
    ]
    return "\n".join(lines) + "\n"


def table(plan: Plan, workload: Workload, summaries: Summaries) -> str:
    metrics = workload.kind.metrics
    rows = [("peer", *metrics, "lowest", "highest", "ratio", "by round")]
    for peer in plan.peers:
        one = summaries[workload.title, peer]
        if one.why and not one.metrics:
            rows.append((peer, "-", *[""] * (len(metrics) + 3)))
            continue
        values = (*(one.metrics.get(name) for name in metrics), one.lowest, one.highest)
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        span = "" if one.ratios is None else f"{one.ratios[0]:.2f}-{one.ratios[1]:.2f}"
        rows.append((peer, *map(worded, values), ratio, span))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(f"  {aligned(row, widths)}\n" for row in rows)


def worded(value: float | None) -> str:
    """Write a number with three digits that count."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if n else cell.ljust(width)
        for n, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([first, *others]).rstrip()


def write_json(
    path: Path, plan: Plan, server: str, results: Results, targets: Iterable[Target]
) -> None:
    """Write every run and the summaries, for who compares two benchmarks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count()},
        "server": server,
        "plan": asdict(plan),
        "summaries": [asdict(one) for one in summarize(plan, results).values()],
        "targets": [asdict(target) for target in targets],
        "runs": [
            {"workload": workload, "peer": peer, **asdict(run)}
            for (workload, peer), runs in results.runs.items()
            for run in runs
        ],
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
