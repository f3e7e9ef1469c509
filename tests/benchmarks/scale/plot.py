"""Draw the curves of a scale run: ``plot.py scale.json scale.png``. Runs where matplotlib is."""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

COLUMNS = 3
LINES = {
    "in all": ("#1f2937", "o", 2.2),
    "Redis": ("#dc2626", "s", 1.6),
    "worker": ("#2563eb", "^", 1.6),
}


def draw(axes: Any, says: str, curve: dict[str, dict[str, float]]) -> None:  # noqa: ANN401
    values = [int(value) for value in curve]
    figures = list(curve.values())
    lines = {
        "in all": [1e6 / one["jobs/s"] for one in figures],
        "Redis": [one["Redis µs/job"] for one in figures],
        "worker": [one["worker µs/job"] for one in figures],
    }
    for name, heights in lines.items():
        color, marker, width = LINES[name]
        axes.plot(values, heights, color=color, marker=marker, linewidth=width, label=name)
    axes.set_xscale("symlog" if min(values) == 0 else "log", **linear(values))
    highest = max(lines["in all"])
    if highest > 20 * min(lines["in all"]):
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.25 * max(map(max, lines.values())))
    axes.set_xticks(values, [short(value) for value in values])
    axes.minorticks_off()
    axes.set_title(says, fontsize=12, loc="left", fontweight="bold")
    axes.set_ylabel("µs a job")
    axes.grid(visible=True, color="#e5e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    for value, height in zip(values, lines["in all"], strict=True):
        axes.annotate(
            worded(height),
            (value, height),
            (0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=LINES["in all"][0],
        )


def linear(values: list[int]) -> dict[str, float]:
    """Where the axis is even up to the first value: zero has no logarithm."""
    return {"linthresh": min(filter(None, values))} if min(values) == 0 else {}


def short(value: int) -> str:
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if value >= size:
            return f"{value // size}{letter}"
    return str(value)


def worded(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def main() -> None:
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    curves = content["curves"]
    rows = -(-(len(curves) + 1) // COLUMNS)
    figure, grid = plt.subplots(rows, COLUMNS, figsize=(15, 4 * rows), squeeze=False)
    panels = list(grid.flat)
    for name, axes in zip(curves, panels, strict=False):
        draw(axes, content["says"][name], curves[name])
    for axes in panels[len(curves) :]:
        axes.axis("off")
    handles, labels = panels[0].get_legend_handles_labels()
    words = (
        f"{content['cpus']} cores, {content['server']}\n"
        + "\n".join(content["runtime"].split(", "))
        + "\n\nno-op jobs at concurrency 100 in one worker process\n"
        "unless the title says otherwise;\n"
        "«in all» is the time between two ends of jobs"
    )
    last = panels[len(curves)]
    last.legend(handles, labels, loc="upper left", frameon=False, fontsize=12)
    last.text(0, 0.55, words, fontsize=10, va="top", color="#4b5563", transform=last.transAxes)
    figure.suptitle("What a job costs", fontsize=16, fontweight="bold", x=0.01, ha="left")
    figure.tight_layout()
    figure.savefig(sys.argv[2], dpi=80)


if __name__ == "__main__":
    main()
