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
        module: What a program imports of it.
        tool: Its command, where it has one.
        forks: Whether its own command starts as many processes as asked for.
        cannot: Why not, for each workload that it has no way to do.
    """

    name: str
    left: tuple[str, ...] = ()
    share: float = 1.0
    module: str = ""
    tool: str = ""
    forks: bool = True
    cannot: Mapping[str, str] = field(default_factory=dict)

    def reason(self, title: str) -> str | None:
        """Why it cannot do a workload; None where it can."""
        return self.cannot.get(title) or self.cannot.get(title.partition("@")[0])

    @property
    def program(self) -> list[str]:
        if self.name.startswith(NODE):
            major = self.name.removeprefix(NODE) or "6"
            return [node_binary(), str(HERE / "node" / "bench.js"), "--major", major]
        return [self.python, "-m", f"tests.benchmarks.peers.{self.name.replace('-', '_')}"]

    @property
    def commands(self) -> dict[str, list[str]]:
        """What shows how soon its tools are there: its help, and its import less Python's own."""
        if self.name.startswith(NODE):
            return {}
        folder = Path(self.python).parent
        found = {"import ms": [self.python, "-c", f"import {self.module}"]}
        if self.tool:
            found["--help ms"] = [str(folder / self.tool), "--help"]
        return found

    @property
    def python(self) -> str:
        """The interpreter of its virtual environment."""
        here = self.name == OURS
        return sys.executable if here else str((VENVS / self.name / "bin" / "python").absolute())


BULLMQ = ("LLEN bull:{queue}:wait", "LLEN bull:{queue}:active")
FEW = "has one thread for its event loop; a plain function would hold it"
ONE = "runs one job at a time in a process"
MANY = ("drain@10", "drain@100", "drain@1000")
NO_WAIT = "has no call that waits for a result"
NO_PARTS = {"typed": NO_TYPES, "raw": NO_TYPES, "full": ONLY_OURS, "million": ONLY_OURS}
NO_KEEP = {**NO_PARTS, "defaults": "has no retention of jobs to compare"}
ON_NODE = {**NO_PARTS, "threads": NO_THREADS}

FIELD = {
    peer.name: peer
    for peer in (
        Peer(OURS, BULLMQ, module="framework", tool="framework"),
        Peer(NODE, BULLMQ, forks=False, cannot=ON_NODE),
        Peer("node5", BULLMQ, forks=False, cannot=ON_NODE),
        Peer(
            "bullmq-python",
            BULLMQ,
            module="bullmq",
            share=0.5,
            forks=False,
            cannot={**NO_PARTS, "threads": FEW, "round_trip": NO_WAIT},
        ),
        Peer("celery", module="celery", tool="celery", share=0.25, forks=False, cannot=NO_KEEP),
        Peer(
            "dramatiq",
            ("HLEN dramatiq:default.msgs",),
            module="dramatiq",
            tool="dramatiq",
            share=0.25,
            cannot=NO_KEEP,
        ),
        Peer(
            "arq",
            ("ZCARD arq:queue",),
            module="arq",
            tool="arq",
            share=0.2,
            forks=False,
            cannot={**NO_KEEP, "threads": FEW},
        ),
        Peer(
            "saq",
            ("ZCARD saq:default:incomplete",),
            module="saq",
            tool="saq",
            share=0.2,
            cannot=NO_KEEP,
        ),
        Peer("taskiq", module="taskiq_redis", tool="taskiq", share=0.25, cannot=NO_KEEP),
        Peer("streaq", module="streaq", tool="streaq", share=0.25, cannot=NO_KEEP),
        Peer(
            "rq",
            ("LLEN rq:queue:default", "ZCARD rq:wip:default"),
            module="rq",
            tool="rq",
            share=0.1,
            forks=False,
            cannot={**NO_KEEP, **dict.fromkeys((*MANY, "nap", "threads"), ONE)},
        ),
        Peer("huey", module="huey", tool="huey_consumer", share=0.25, forks=False, cannot=NO_KEEP),
    )
}
