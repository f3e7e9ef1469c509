"""Run the tests that need a server on servers other than the embedded one.

    python -m tests.places [cluster] [redis-6.2] [redis-7.0] [pytest's options]

Each of those named, or all, gets what it can be asked: on a cluster all that Node and we do
together, on old servers every script and the clients.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.places.binaries import DEBIANS, OLD
from tests.support.clusters import cluster
from tests.support.servers import one_server

ALONE = ("tests/integration/store", "tests/integration/client", "tests/integration/worker")
TESTS = {
    "cluster": ("tests/integration/store", "tests/interop"),
    "redis-6.2": (*ALONE, "tests/interop"),
    "redis-7.0": (*ALONE, "tests/interop"),
}
BINARIES = {"redis-6.2": OLD, "redis-7.0": DEBIANS}


@contextmanager
def place(name: str, folder: Path) -> Iterator[str]:
    """Start what a name stands for; yield its address."""
    if name == "cluster":
        with cluster(folder) as made:
            yield made.url
    else:
        with one_server(folder, binary=BINARIES[name]) as server:
            yield server.url


def main(words: list[str]) -> int:
    """Run the tests on each place that is named; return whether any failed."""
    names = [word for word in words if word in TESTS] or list(TESTS)
    options = [word for word in words if word not in TESTS]
    failed = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder, place(name, Path(folder)) as url:
            command = [sys.executable, "-m", "pytest", *TESTS[name], *options]
            failed |= subprocess.call(command, env={**os.environ, "REDIS_URL": url})  # noqa: S603 - our own tests
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
