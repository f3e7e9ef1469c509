"""What can be measured, and which of its numbers is the headline."""

from dataclasses import dataclass
from typing import Self

RATE = ("jobs/s", "worker µs/job", "Redis µs/job", "commands/job", "others %")


@dataclass(frozen=True)
class Kind:
    """A family of workloads.

    Args:
        way: The measuring function, by its name in `ways`.
        handler: The handler that the jobs are for.
        parameter: The variable that the number after an @ sets: drain@10.
        metrics: The numbers that come of it; the first is the headline.
        less_is_better: Whether that goes for the headline.
        says: In a few words, for the table.
    """

    way: str
    says: str
    handler: str = "noop"
    parameter: str | None = None
    metrics: tuple[str, ...] = RATE
    less_is_better: bool = False


KINDS = {
    "add_one": Kind("adds", "add, one caller"),
    "add_many": Kind("adds", "add, so many callers at once", parameter="CALLERS"),
    "add_bulk": Kind("adds", "add in bulk, so many a call", parameter="CHUNK"),
    "drain": Kind("drain", "no-op jobs", parameter="CONCURRENCY"),
    "nap": Kind(
        "drain",
        "10 ms I/O jobs",
        handler="nap",
        parameter="CONCURRENCY",
        metrics=("jobs/s", "% of ideal", *RATE[1:]),
    ),
    "processes": Kind("drain", "no-op jobs, two worker processes", parameter="CONCURRENCY"),
    "threads": Kind(
        "drain", "sync no-op jobs in threads", handler="block", parameter="CONCURRENCY"
    ),
    "defaults": Kind("drain", "no-op jobs, default retention", parameter="CONCURRENCY"),
    "typed": Kind("drain", "typed payload of 320 B", handler="order", parameter="CONCURRENCY"),
    "raw": Kind("drain", "the same as a dict", handler="raw", parameter="CONCURRENCY"),
    "full": Kind(
        "drain", "typed + hooks + provider + log", handler="full", parameter="CONCURRENCY"
    ),
    "latency": Kind(
        "latency",
        "enqueue to start, so many jobs a second",
        handler="stamped",
        parameter="RATE",
        metrics=("p50 ms", "p99 ms", "jobs/s"),
        less_is_better=True,
    ),
    "round_trip": Kind(
        "round_trip",
        "add and wait for the result",
        handler="echo",
        metrics=("p50 ms", "p99 ms"),
        less_is_better=True,
    ),
    "memory": Kind(
        "memory",
        "an idle worker",
        metrics=("MB a process", "MB in all"),
        less_is_better=True,
    ),
    "start": Kind(
        "start",
        "from start to the first job",
        handler="stamped",
        metrics=("ready ms", "--help ms", "import ms"),
        less_is_better=True,
    ),
    "bytes": Kind(
        "redis_bytes",
        "Redis memory a job",
        metrics=("B queued", "B kept"),
        less_is_better=True,
    ),
    "million": Kind(
        "million",
        "memory over a million jobs",
        metrics=("MB grown", "MB at 10 %", "MB at the end"),
        less_is_better=True,
    ),
}

DEFAULT = (
    "add_one,add_many@50,add_bulk@1000,drain@1,drain@10,drain@100,drain@1000,nap@100,nap@500,"
    "processes@100,threads@10,defaults@100,typed@100,raw@100,full@100,latency@50,latency@5000,"
    "round_trip,memory,start,bytes"
)


@dataclass(frozen=True)
class Workload:
    """One thing to measure, such as ``drain`` or ``drain@10``."""

    title: str

    @property
    def name(self) -> str:
        return self.title.partition("@")[0]

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    @property
    def number(self) -> int | None:
        _, _, number = self.title.partition("@")
        return int(number) if number else None

    @property
    def environment(self) -> dict[str, str]:
        """What tells a peer's program to do this."""
        said = {"BENCH_HANDLER": self.kind.handler}
        if self.kind.parameter and self.number:
            said[f"BENCH_{self.kind.parameter}"] = str(self.number)
        return said

    @classmethod
    def parse(cls, title: str) -> Self:
        """Check a title.

        Raises:
            SystemExit: There is no such workload, or it takes no such number.
        """
        name, at, number = title.partition("@")
        takes = name in KINDS and KINDS[name].parameter
        if name not in KINDS or (at and not (takes and number.isdecimal() and int(number))):
            raise SystemExit(f"WORKLOADS: {title!r} is none of {', '.join(KINDS)}, or name@N")
        return cls(title)
