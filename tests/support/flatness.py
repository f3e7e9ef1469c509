"""What processes and their Redis use, again and again, and whether it grows."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, mean

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1024 * 1024


@dataclass
class Series:
    """Samples of many figures.

    Attributes:
        at: When, in seconds.
        figures: By name.
    """

    at: list[float] = field(default_factory=list[float])
    figures: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def add(self, at: float, figures: Mapping[str, float]) -> None:
        self.at.append(at)
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)

    def growth(self, name: str) -> float:
        """By how much a figure grew over the last two thirds, by the line that fits it best."""
        first = len(self.at) // 3
        at, values = self.at[first:], self.figures[name][first:]
        return linear_regression(at, values).slope * (at[-1] - at[0])

    def level(self, name: str) -> float:
        """Return its mean over the last two thirds."""
        return mean(self.figures[name][len(self.at) // 3 :])

    def table(self, rows: int = 12) -> str:
        """Show some of the samples, then what grew."""
        names = list(self.figures)
        width = max(12, *map(len, names)) + 1
        step = max(1, len(self.at) // rows)
        lines = ["seconds".rjust(width) + "".join(name.rjust(width) for name in names)]
        lines += [
            f"{self.at[n]:{width}.0f}"
            + "".join(f"{self.figures[name][n]:{width}.1f}" for name in names)
            for n in range(0, len(self.at), step)
        ]
        lines.append("growth".rjust(width) + "".join(f"{self.growth(n):{width}.2f}" for n in names))
        return "\n".join(lines)

    def grown(self, allowed: Mapping[str, float]) -> list[str]:
        """List what grew by more than is allowed, of those that are named."""
        return [
            f"{name} grew by {self.growth(name):.1f} at {self.level(name):.1f}"
            for name, most in allowed.items()
            if self.growth(name) > most
        ]


def descendants_of(pid: int) -> Iterator[int]:
    """The processes below one, at any depth."""
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from descendants_of(child)


def memory_of(pids: Sequence[int]) -> float:
    """How many MiB of memory processes have, what they share counted each time."""
    pages = 0
    for pid in pids:
        with suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * PAGE / MIB


def files_of(pids: Sequence[int]) -> tuple[int, int]:
    """How many files processes have open, and how many of those are sockets."""
    files = sockets = 0
    for pid in pids:
        with suppress(OSError):
            for one in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    files += 1
                    sockets += str(one.readlink()).startswith("socket:")
    return files, sockets
