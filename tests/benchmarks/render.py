"""Write the figures of one run or several into the page about performance.

``python -m tests.benchmarks.render bench-results/20260101-120000.json`` replaces what stands
between the two marks in `docs/explanation/performance.md`. What a later file has of a workload
and a peer goes before what an earlier one has.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.field import FIELD, NODE, OURS
from tests.benchmarks.report import Summary, worded
from tests.benchmarks.targets import check_targets, get
from tests.benchmarks.workloads import Workload

PAGE = Path("docs/explanation/performance.md")
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
COSTS = ("worker µs/job", "Redis µs/job", "commands/job")

Found = Mapping[tuple[str, str], Summary]


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def figure(one: Summary | None, metric: str) -> str:
    return worded(one.metrics.get(metric)) if one else "-"


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
    own, other = (get(found, title, peer, metric) for peer in (OURS, NODE))
    return f"{own / other:.2f}" if own and other else "-"


def costs(found: Found, peers: Sequence[str], title: str = "drain@100") -> str:
    """What one job costs of the processors, and Redis in commands."""
    rows = [
        [metric, *(figure(found.get((title, peer)), metric) for peer in peers)] for metric in COSTS
    ]
    return markdown([f"`{title}`", *peers], rows)


def targets(found: Found) -> str:
    """Where each target is."""
    rows = [
        [
            one.says,
            f"{one.figure:.3g}",
            f"{'at least' if one.at_least else 'at most'} {one.bound:g}",
            "reached" if one.is_reached else "**not**",
        ]
        for one in check_targets(found)
    ]
    return markdown(["target", "figure", "wanted", ""], rows)


def render(contents: Sequence[Mapping[str, Any]]) -> str:
    """Word all runs together."""
    summaries = [Summary(**one) for content in contents for one in content["summaries"]]
    found = {(one.workload, one.peer): one for one in summaries}
    titles = list(dict.fromkeys(one.workload for one in summaries))
    peers = [peer for peer in FIELD if any(one.peer == peer for one in summaries)]
    who = {one.peer: f"{one.library} ({one.runtime})" for one in summaries if one.library}
    parts = [
        "\n".join(dict.fromkeys(map(conditions, contents))) + "\n",
        "".join(f"- {peer}: {who[peer]}\n" for peer in peers if peer in who),
        headlines(found, titles, peers),
        costs(found, peers),
        targets(found),
    ]
    return "\n" + "\n".join(parts) + "\n"


def conditions(content: Mapping[str, Any]) -> str:
    plan = content["plan"]
    return (
        f"{content['machine']['cpus']} cores; {content['server']} on the same machine, over TCP, "
        f"nothing written to disk; medians of {plan['rounds']} rounds by turns; "
        f"{plan['jobs']:,} jobs a run, fewer for slow peers; "
        f"completed jobs kept on every side: {plan['keep']}."
    )


def main() -> None:
    contents = [json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + render(contents) + END + after, encoding="utf-8")
    sys.stdout.write(f"written to {PAGE}\n")


if __name__ == "__main__":
    main()
