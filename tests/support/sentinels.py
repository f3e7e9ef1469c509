"""A master, its replicas and the Sentinels that watch them, of the embedded server's binary."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import redis

from tests.support.servers import (
    HOST,
    REPLICATING,
    Server,
    free_port,
    one_server,
    wait_for,
    wait_for_all,
)

NAME = "mymaster"


class SentinelSet:
    """What was started."""

    def __init__(self, servers: Sequence[Server], sentinels: Sequence[Server]) -> None:
        self.servers = tuple(servers)
        self.sentinels = tuple(sentinels)

    @property
    def url(self) -> str:
        hosts = ",".join(f"{HOST}:{one.port}" for one in self.sentinels)
        return f"redis+sentinel://{hosts}/{NAME}"

    @property
    def master(self) -> Server:
        """The server that the Sentinels name now."""
        _, port = self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
        return next(one for one in self.servers if one.port == int(port))

    def change(self, *how: str) -> None:
        """Have another master chosen, as an operator does; wait until it is announced."""
        before = self.master
        wait_for(partial(self._accepts, how), "the Sentinels begin")
        wait_for(lambda: self.master is not before, "another is master")

    def _accepts(self, how: tuple[str, ...]) -> bool:
        try:
            return bool(self.sentinels[0].ask("SENTINEL", "FAILOVER", NAME, *how))
        except redis.ResponseError:  # it does not find the replicas fit yet
            return False


@contextmanager
def sentinel_set(folder: Path, *, replicas: int = 2, sentinels: int = 3) -> Iterator[SentinelSet]:
    """Start a master with replicas and Sentinels; yield once each knows all others."""
    with ExitStack() as stack:
        start = stack.enter_context
        master = start(one_server(folder / "server0", *REPLICATING))
        of_master = ("--replicaof", f"{HOST} {master.port}", *REPLICATING)
        others = [start(one_server(folder / f"server{n + 1}", *of_master)) for n in range(replicas)]
        wait_for_all(others, has_joined, "the replicas have joined")
        watching = [
            start(one_sentinel(folder / f"sentinel{n}", master, quorum=sentinels // 2 + 1))
            for n in range(sentinels)
        ]
        wait_for_all(watching, partial(knows, replicas, sentinels - 1), "the Sentinels know all")
        yield SentinelSet([master, *others], watching)


def has_joined(replica: Server) -> bool:
    """Tell whether a replica has its master's data."""
    return replica.says("master_link_status") == "up"


def knows(replicas: int, others: int, sentinel: Server) -> bool:
    """Tell whether a Sentinel has found all there is."""
    facts = sentinel.ask("SENTINEL", "MASTER", NAME)
    return int(facts["num-slaves"]) >= replicas and int(facts["num-other-sentinels"]) >= others


@contextmanager
def one_sentinel(folder: Path, master: Server, *, quorum: int) -> Iterator[Server]:
    """Start a Sentinel.

    A master that a busy machine keeps from answering for a second must not be taken for gone.
    """
    folder.mkdir(parents=True)
    port, conf = free_port(), folder / "sentinel.conf"
    conf.write_text(
        f"port {port}\nbind {HOST}\n"
        f"sentinel monitor {NAME} {HOST} {master.port} {quorum}\n"
        f"sentinel down-after-milliseconds {NAME} 1500\n"
        f"sentinel failover-timeout {NAME} 3000\n"
    )
    server = Server(folder, str(conf), "--sentinel", port=port)
    try:
        wait_for(server.is_ready, "a Sentinel starts")
        yield server
    finally:
        server.kill()
