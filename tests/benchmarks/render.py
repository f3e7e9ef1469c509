"""Write the figures of a run into the page about performance.

``python -m tests.benchmarks.render bench-results/20260101-120000.json`` replaces what stands
between the two marks in `docs/explanation/performance.md`.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.field import NODE, OURS
from tests.benchmarks.report import worded
from tests.benchmarks.targets import Target
from tests.benchmarks.workloads import Workload

PAGE = Path("docs/explanation/performance.md")
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
COSTS = ("worker µs/job", "Redis µs/job", "commands/job")

Found = Mapping[tuple[str, str], Mapping[str, Any]]


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def figure(one: Mapping[str, Any] | None, metric: str) -> str:
    value = (one or {}).get("metrics", {}).get(metric)
    return worded(value) if value is not None else "-"


def headlines(found: Found, titles: Sequence[str], peers: Sequence[str]) -> str:
    """One row a workload, one column a peer."""
    rows = []
    for title in titles:
        workload = Workload.parse(title)
        metric = workload.kind.metrics[0]
        cells = [figure(found.get((title, peer)), metric) for peer in peers]
        says = f"`{title}` {workload.kind.says}, {metric}"
        rows.append([says, *cells, ratio_to(found, title, metric)])
    return markdown(["", *peers, "times Node"], rows)


def ratio_to(found: Found, title: str, metric: str) -> str:
    """Ours to Node's, as they stand: of times, less is better."""
    own, other = (
        (found.get((title, peer)) or {}).get("metrics", {}).get(metric) for peer in (OURS, NODE)
    )
    return f"{own / other:.2f}" if own and other else "-"


def costs(found: Found, peers: Sequence[str], title: str = "drain@100") -> str:
    """What one job costs of the processors, and Redis in commands."""
    rows = [
        [metric, *(figure(found.get((title, peer)), metric) for peer in peers)] for metric in COSTS
    ]
    return markdown([f"`{title}`", *peers], rows)


def targets(content: Mapping[str, Any]) -> str:
    found = [Target(**target) for target in content["targets"]]
    rows = [
        [
            one.says,
            f"{one.figure:.3g}",
            ("≥ " if one.at_least else "≤ ") + f"{one.bound:g}",
            "reached" if one.is_reached else "**not**",
        ]
        for one in found
    ]
    return markdown(["target", "figure", "wanted", ""], rows)


def render(content: Mapping[str, Any]) -> str:
    """Word a whole run."""
    plan = content["plan"]
    peers, titles = plan["peers"], [one["title"] for one in plan["workloads"]]
    found = {(one["workload"], one["peer"]): one for one in content["summaries"]}
    who = {
        one["peer"]: f"{one['library']} ({one['runtime']})"
        for one in found.values()
        if one["library"]
    }
    conditions = [
        f"{content['machine']['cpus']} cores; {content['server']} on the same machine, over TCP, "
        f"nothing written to disk; medians of {plan['rounds']} rounds by turns; "
        f"{plan['jobs']:,} jobs a run, fewer for slow peers; "
        f"completed jobs kept on every side: {plan['keep']}.",
        *(f"- {peer}: {versions}" for peer, versions in who.items()),
    ]
    parts = [
        conditions[0] + "\n\n" + "\n".join(conditions[1:]) + "\n",
        headlines(found, titles, peers),
        costs(found, peers),
        targets(content),
    ]
    return "\n" + "\n".join(parts) + "\n"


def main() -> None:
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + render(content) + END + after, encoding="utf-8")
    sys.stdout.write(f"written to {PAGE}\n")


if __name__ == "__main__":
    main()
