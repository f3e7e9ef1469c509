"""What a benchmark is to run, read from environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

OURS = "ours"
PEERS = (OURS, "bullmq6", "bullmq5")

# What the number after an @ sets: drain@10 is a worker of concurrency 10.
PARAMETERS = {
    "drain": "concurrency",
    "add_bulk": "chunk",
    "add_many": "callers",
    "add_one": None,
}


@dataclass(frozen=True)
class Workload:
    """One thing to measure, such as ``drain`` or ``drain@10``."""

    title: str

    @property
    def name(self) -> str:
        return self.title.partition("@")[0]

    @property
    def arguments(self) -> list[str]:
        """The command line that asks a peer for it."""
        _, _, number = self.title.partition("@")
        return [self.name, *([f"--{PARAMETERS[self.name]}", number] if number else [])]

    @classmethod
    def parse(cls, title: str) -> Self:
        """Check a title.

        Raises:
            SystemExit: There is no such workload, or it takes no such number.
        """
        name, at, number = title.partition("@")
        if name not in PARAMETERS or (at and not (PARAMETERS[name] and number.isdecimal())):
            raise SystemExit(f"WORKLOADS: {title!r} is none of {', '.join(PARAMETERS)}, or name@N")
        return cls(title)


@dataclass(frozen=True)
class Plan:
    """What to run, how often and how large.

    Args:
        keep: How many completed jobs stay in Redis, or ``all``.
    """

    rounds: int
    jobs: int
    keep: str
    peers: tuple[str, ...]
    workloads: tuple[Workload, ...]

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read ROUNDS, JOBS, KEEP, PEERS and WORKLOADS.

        Raises:
            SystemExit: One of them cannot be used.
        """
        peers = environment.get("PEERS", "ours,bullmq6").split(",")
        if unknown := set(peers) - set(PEERS):
            raise SystemExit(f"PEERS: {', '.join(unknown)} is none of {', '.join(PEERS)}")
        workloads = environment.get("WORKLOADS", "drain,add_bulk").split(",")
        return cls(
            rounds=_number(environment, "ROUNDS", 5),
            jobs=_number(environment, "JOBS", 20_000),
            keep=environment.get("KEEP", "all"),
            peers=tuple(peers),
            workloads=tuple(Workload.parse(title) for title in workloads),
        )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise SystemExit(f"{name}: {text!r} is no positive number")
    return int(text)
