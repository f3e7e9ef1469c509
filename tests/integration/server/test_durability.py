"""What the server acknowledged is there after a crash."""

import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor

import redis

from framework.server import EmbeddedServer
from tests.integration.server.processes import client, until

WRITERS = 4
SEED = 20


class Writer:
    """Writes numbers, one acknowledged write at a time, until the server is gone."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.acknowledged = 0

    def run(self) -> int:
        with client(self.url) as connected:
            try:
                while True:
                    connected.rpush(self.name, self.acknowledged)
                    self.acknowledged += 1
            except redis.ConnectionError:
                return self.acknowledged


def test_a_killed_server_loses_nothing_acknowledged(private_server: EmbeddedServer) -> None:
    """The fixture's server writes to disk before it answers."""
    chance = random.Random(SEED)  # noqa: S311 - a moment to kill, no secret
    for turn in range(3):
        address = private_server.start()
        writers = [Writer(address.url, f"{turn}:{n}") for n in range(WRITERS)]
        enough = chance.randint(20, 120)
        with ThreadPoolExecutor(WRITERS) as threads:
            counts = [threads.submit(writer.run) for writer in writers]
            until(lambda: min(w.acknowledged for w in writers) >= enough, "all write")  # noqa: B023
            os.kill(address.pid, signal.SIGKILL)

        with client(private_server.start().url) as connected:
            for writer, count in zip(writers, counts, strict=True):
                stored = connected.lrange(writer.name, 0, -1)
                expected = [str(number) for number in range(count.result())]
                assert stored[: len(expected)] == expected
                # One more may be there: written, but killed before the answer.
                assert len(stored) <= len(expected) + 1
