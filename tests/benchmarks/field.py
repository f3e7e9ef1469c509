"""Who is measured: the program of each peer, and how to see in Redis what it has left to do."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.node_process import node_binary

HERE = Path(__file__).parent
VENVS = Path(".venv-bench")
OURS = "ours"
NODE = "node"

NO_THREADS = "has one thread; its sandboxed processors are other processes"
NO_TYPES = "hands payloads over as they are"
ONLY_OURS = "this workload is about this framework's own parts"


@dataclass(frozen=True)
class Peer:
    """One program that can be measured.

    Args:
        name: What PEERS calls it.
        left: Commands of Redis whose numbers add up to the jobs that are not done; ``{queue}``
            is the handler's name. Empty where the library keeps no record of what runs: then
            its handlers note that they were there.
        share: Which part of JOBS it gets, so that a slow peer does not take all the time.
        forks: Whether its own command starts as many processes as asked for.
        cannot: Why not, for each workload that it has no way to do.
    """

    name: str
    left: tuple[str, ...] = ()
    share: float = 1.0
    forks: bool = True
    cannot: Mapping[str, str] = field(default_factory=dict)

    @property
    def program(self) -> list[str]:
        if self.name.startswith(NODE):
            major = self.name.removeprefix(NODE) or "6"
            return [node_binary(), str(HERE / "node" / "bench.js"), "--major", major]
        return [self.python, "-m", f"tests.benchmarks.peers.{self.name.replace('-', '_')}"]

    @property
    def python(self) -> str:
        """The interpreter of its virtual environment."""
        here = self.name == OURS
        return sys.executable if here else str((VENVS / self.name / "bin" / "python").absolute())


BULLMQ = ("LLEN bull:{queue}:wait", "LLEN bull:{queue}:active")
ON_NODE = {
    "threads": NO_THREADS,
    "typed": NO_TYPES,
    "raw": NO_TYPES,
    "full": ONLY_OURS,
    "million": ONLY_OURS,
}
FIELD = {
    peer.name: peer
    for peer in (
        Peer(OURS, BULLMQ),
        Peer(NODE, BULLMQ, forks=False, cannot=ON_NODE),
        Peer("node5", BULLMQ, forks=False, cannot=ON_NODE),
    )
}
