"""A cluster of three masters and three replicas, of the embedded server's binary."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from framework.wire.slots import SLOTS
from tests.support.sentinels import has_joined
from tests.support.servers import HOST, REPLICATING, Server, free_port, one_server, wait_for_all

MASTERS = 3
FAST = (
    "--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
    "--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0",
)  # fmt: skip


class Cluster:
    """What was started: the nth node and the third after it began as master and replica."""

    def __init__(self, nodes: Sequence[Server]) -> None:
        self.nodes = tuple(nodes)

    @property
    def url(self) -> str:
        hosts = ",".join(f"{HOST}:{one.port}" for one in self.nodes)
        return f"redis+cluster://{hosts}"

    def master_of(self, slot: int) -> Server:
        """The node that serves a slot now, as one says that lives."""
        alive = next(one for one in self.nodes if one.is_alive)
        for first, last, node, *_ in alive.ask("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(one for one in self.nodes if one.port == node[1])
        raise AssertionError(f"nobody serves slot {slot}")


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster; yield once every node finds it whole."""
    buses = [str(free_port()) for _ in range(2 * MASTERS)]
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                one_server(folder / f"node{n}", *FAST, *REPLICATING, "--cluster-port", bus)
            )
            for n, bus in enumerate(buses)
        ]
        assemble(nodes, buses[0])
        yield Cluster(nodes)


def assemble(nodes: Sequence[Server], bus: str) -> None:
    """Make nodes one cluster; `bus` is the first one's other port."""
    for n, node in enumerate(nodes):
        node.ask("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
        if n:
            node.ask("CLUSTER", "MEET", HOST, nodes[0].port, bus)
    for n, node in enumerate(nodes[:MASTERS]):
        first, after = SLOTS * n // MASTERS, SLOTS * (n + 1) // MASTERS
        node.ask("CLUSTER", "ADDSLOTSRANGE", first, after - 1)
    wait_for_all(nodes, partial(says, f"cluster_known_nodes:{len(nodes)}"), "the nodes have met")
    for master, replica in zip(nodes[:MASTERS], nodes[MASTERS:], strict=True):
        replica.ask("CLUSTER", "REPLICATE", master.ask("CLUSTER", "MYID"))
    wait_for_all(nodes, partial(says, "cluster_state:ok"), "the cluster is up")
    wait_for_all(nodes[MASTERS:], has_joined, "the replicas have joined")
    wait_for_all(nodes, knows_replicas, "all know all replicas")


def says(line: str, node: Server) -> bool:
    """Tell whether a node's CLUSTER INFO has a line."""
    return line in node.ask("CLUSTER", "INFO").splitlines()


def knows_replicas(node: Server) -> bool:
    """Tell whether a node knows a replica of each master."""
    rows = node.ask("CLUSTER", "SLOTS")
    return len(rows) == MASTERS and all(row[3:] for row in rows)
