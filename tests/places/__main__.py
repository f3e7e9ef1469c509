"""Run the tests that need a server on servers other than the embedded one.

    python -m tests.places [cluster] [redis-6.2] [redis-7.0] [fail-over] [pytest's options]

Each of those named, or all, gets what it can be asked: on a cluster all that Node and we do
together, on old servers every script and the clients. Last, masters are killed in mid-load, many
times over.
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
# It compares the order in which members of a set are removed: before 7.2 there is none.
UNORDERED = "--ignore=tests/interop/test_dump_diff.py"
TESTS = {
    "cluster": ("tests/integration/store", "tests/interop"),
    "redis-6.2": (*ALONE, "tests/interop", UNORDERED),
    "redis-7.0": (*ALONE, "tests/interop", UNORDERED),
}
FAIL_OVERS = ("sentinel", "cluster", "cluster_with_node", "copies")
ROUNDS = 10
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
    every = [*TESTS, "fail-over"]
    names = [word for word in words if word in every] or every
    options = [word for word in words if word not in every]
    failed = 0
    for name in names:
        if name == "fail-over":
            failed |= kill_masters(options)
            continue
        with tempfile.TemporaryDirectory() as folder, place(name, Path(folder)) as url:
            command = [sys.executable, "-m", "pytest", *TESTS[name], *options]
            failed |= subprocess.call(command, env={**os.environ, "REDIS_URL": url})  # noqa: S603 - our own tests
    return failed


def kill_masters(options: list[str]) -> int:
    """Run the tests that kill masters, on fresh servers each time."""
    files = [f"tests/places/test_{name}.py" for name in FAIL_OVERS]
    command = [sys.executable, "-m", "pytest", *files, *options]
    return max(subprocess.call(command) for _ in range(ROUNDS))  # noqa: S603 - our own tests


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
