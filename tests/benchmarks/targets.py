"""The figures that this framework sets itself, and whether a run reached them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from tests.benchmarks.field import NODE, OURS


class Measured(Protocol):
    """What a target looks at of a summary."""

    @property
    def metrics(self) -> Mapping[str, float]: ...


Found = Mapping[tuple[str, str], Measured]


@dataclass(frozen=True)
class Target:
    """One figure, where it is and where it is to be.

    Args:
        at_least: Whether more is better.
    """

    says: str
    figure: float
    bound: float
    at_least: bool = True

    @property
    def is_reached(self) -> bool:
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def __str__(self) -> str:
        word = "reached" if self.is_reached else "NOT    "
        sign = "at least" if self.at_least else "at most"
        return f"{word}  {self.says}: {self.figure:.3g}, {sign} {self.bound:g}"


RATIOS = {
    "drain@1": 1.1,
    "drain@10": 1.8,
    "drain@100": 2.5,
    "drain@1000": 2.5,
    "add_one": 1.5,
    "add_many@50": 1.5,
    "add_bulk@1000": 4.0,
    "processes@100": 3.0,
}
NO_MORE = {
    ("drain@100", "Redis µs/job"): 0.5,
    ("drain@100", "worker µs/job"): 0.6,
    ("latency@50", "p50 ms"): 0.7,
    ("latency@50", "p99 ms"): 0.5,
    ("latency@5000", "p50 ms"): 0.7,
    ("latency@5000", "p99 ms"): 0.5,
}
OF_OUR_PLAIN = {"defaults@100": 0.9, "full@100": 0.6}
ABSOLUTE = {
    ("memory", "MB a process"): 60,
    ("start", "import ms"): 150,
    ("start", "--help ms"): 300,
    ("start", "ready ms"): 700,
    ("million", "MB grown"): 5,
}
IDEAL = (1.15, 90.0)
# What they run is lost with its worker: they may be ahead, and are named where they are.
GIVE_LESS = {"celery": "acknowledges before it runs a job", "huey": "takes no acknowledgement"}


def check_targets(found: Found) -> list[Target]:
    """Look at all targets that this run measured both sides of."""
    return [*beside_node(found), *naps(found), *alone(found), *beside_python(found)]


def get(found: Found, workload: str, peer: str, metric: str) -> float | None:
    one = found.get((workload, peer))
    return one.metrics.get(metric) if one else None


def beside_node(found: Found) -> Iterator[Target]:
    """Ratios of medians to BullMQ on Node."""
    for workload, bound in RATIOS.items():
        own, other = (get(found, workload, peer, "jobs/s") for peer in (OURS, NODE))
        if own and other:
            yield Target(f"{workload}, times Node", own / other, bound)
    for (workload, metric), bound in NO_MORE.items():
        own, other = (get(found, workload, peer, metric) for peer in (OURS, NODE))
        if own and other:
            yield Target(f"{workload} {metric}, times Node", own / other, bound, at_least=False)


def naps(found: Found) -> Iterator[Target]:
    """So many times Node, or so much of the ideal: the lower one counts."""
    own, other = (get(found, "nap@100", peer, "jobs/s") for peer in (OURS, NODE))
    part = get(found, "nap@100", OURS, "% of ideal")
    if not own or not other or part is None:
        return
    times = Target("nap@100, times Node", own / other, IDEAL[0])
    ideal = Target("nap@100, % of the ideal (or 1.15 times Node)", part, IDEAL[1])
    yield times if times.is_reached else ideal


def alone(found: Found) -> Iterator[Target]:
    """What is measured against ourselves, or against nothing."""
    plain = get(found, "drain@100", OURS, "jobs/s")
    for workload, bound in OF_OUR_PLAIN.items():
        own = get(found, workload, OURS, "jobs/s")
        if own and plain:
            yield Target(f"{workload}, part of our drain@100", own / plain, bound)
    for (workload, metric), highest in ABSOLUTE.items():
        own = get(found, workload, OURS, metric)
        if own is not None:
            yield Target(f"{workload} {metric}", own, highest, at_least=False)


def beside_python(found: Found) -> Iterator[Target]:
    """Nine times BullMQ for Python at concurrency 100, and ahead of all in every row."""
    own, other = (get(found, "drain@100", peer, "jobs/s") for peer in (OURS, "bullmq-python"))
    if own and other:
        yield Target("drain@100, times BullMQ for Python", own / other, 9)
    for workload in dict.fromkeys(title for title, _ in found):
        for metric, less in (("jobs/s", False), ("p50 ms", True), ("MB a process", True)):
            yield from ahead(found, workload, metric, less_is_better=less)


def ahead(found: Found, workload: str, metric: str, *, less_is_better: bool) -> Iterator[Target]:
    own = get(found, workload, OURS, metric)
    if own is None or (metric == "jobs/s" and workload.startswith("latency")):
        return
    peers = {
        peer: value
        for title, peer in found
        if title == workload and peer not in {OURS, NODE, "node5"} and bears(found, title, peer)
        if (value := get(found, workload, peer, metric))
    }
    ratios = {p: value / own if less_is_better else own / value for p, value in peers.items()}
    equals = [peer for peer in ratios if peer not in GIVE_LESS]
    if equals:
        best = min(equals, key=lambda peer: ratios[peer])
        ahead = [
            f"; {p}, which {why}: {r:.3g}"
            for p, why in GIVE_LESS.items()
            if (r := ratios.get(p, 1)) < 1
        ]
        said = f"{workload} {metric}, times the best Python peer ({best}{''.join(ahead)})"
        yield Target(said, ratios[best], 1)


def bears(found: Found, workload: str, peer: str) -> bool:
    """Tell whether a peer's times are at our load, not at a lower one that it was given."""
    own, other = (get(found, workload, one, "jobs/s") for one in (OURS, peer))
    return not workload.startswith("latency") or not own or (other or 0) > 0.9 * own
