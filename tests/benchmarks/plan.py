"""What a benchmark is to run, read from environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from tests.benchmarks.field import FIELD, NODE, OURS
from tests.benchmarks.workloads import DEFAULT, Workload

ALIASES = {"bullmq6": NODE, "bullmq5": "node5", "bullmq": "bullmq-python"}


@dataclass(frozen=True)
class Plan:
    """What to run, how often and how large.

    Args:
        keep: How many completed jobs stay in Redis on every side, or ``all``.
        tries: How often a turn is taken while something else keeps the machine busy.
    """

    rounds: int
    jobs: int
    keep: str
    peers: tuple[str, ...]
    workloads: tuple[Workload, ...]
    tries: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read ROUNDS, JOBS, KEEP, PEERS, WORKLOADS and TRIES.

        Raises:
            SystemExit: One of them cannot be used.
        """
        wanted = environment.get("PEERS") or ",".join(one for one in FIELD if one != "node5")
        named = dict.fromkeys([OURS, *(ALIASES.get(one, one) for one in wanted.split(","))])
        if unknown := [one for one in named if one not in FIELD]:
            raise SystemExit(f"PEERS: {', '.join(unknown)} is none of {', '.join(FIELD)}")
        workloads = environment.get("WORKLOADS") or DEFAULT
        return cls(
            rounds=_number(environment, "ROUNDS", 5),
            jobs=_number(environment, "JOBS", 20_000),
            keep=environment.get("KEEP") or "all",
            peers=tuple(named),
            workloads=tuple(Workload.parse(title) for title in workloads.split(",")),
            tries=_number(environment, "TRIES", 3),
        )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise SystemExit(f"{name}: {text!r} is no positive number")
    return int(text)
