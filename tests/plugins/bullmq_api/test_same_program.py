"""One program on PyPI's ``bullmq`` and on the drop-in: the same lines, and the same in Redis."""

import json
import sys
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

import pytest

from framework.store.store import Store
from tests.interop.dumps import dump_of
from tests.plugins.bullmq_api import peer

PROGRAM = peer.REPOSITORY / "docs" / "examples" / "parcels.py"
IMPORT, OURS = "from bullmq import", "from framework_bullmq import"

# Beside what differs in every two histories (`tests.interop.dumps` lists it: moments, ids of
# events, markers, versions, our `meta:fw:` keys), each for a reason:
KEYS = "stalled-check"  # when somebody last looked, if anybody did before the program ended
FIELDS = {
    "pb",  # who ran it: PyPI's says so only of a worker with a name
    "stacktrace",  # it names files; how many there are is told by the program
}
DEFAULTS = {
    "delay": 0,  # PyPI's writes it where none was asked for
}
OF_QUEUES = {"drained"}  # how often a queue was empty, between jobs that run beside each other


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as it was before: one import is another one."""
    text = PROGRAM.read_text()
    assert text.count(OURS) == 1
    program = tmp_path_factory.mktemp("before") / "parcels.py"
    program.write_text(text.replace(OURS, IMPORT))
    return program


async def state_of(store: Store, prefix: str) -> dict[str, Any]:
    """Read all that a run left in Redis, but for what may differ."""
    found: dict[str, Any] = {}
    for key, value in (await dump_of(store, prefix)).items():
        if key.endswith(KEYS):
            continue
        if key.endswith(":events"):
            found[key] = by_job(value)
        elif isinstance(value, dict):
            found[key] = {name: same(one) for name, one in value.items() if name not in FIELDS}
        else:
            found[key] = value
    return found


def same(value: object) -> object:
    """Leave out of options what says no more than nothing."""
    if not isinstance(value, dict):
        return value
    return {
        name: one for name, one in value.items() if name not in DEFAULTS or one != DEFAULTS[name]
    }


def by_job(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Part events by their jobs, which run beside each other; each job's in order."""
    found = defaultdict[str, list[str]](list)
    for event in events:
        if event["event"] not in OF_QUEUES:
            found[event.get("jobId", "")].append(json.dumps(event, sort_keys=True))
    return found


def run_before(theirs: Path, redis_url: str, prefix: str) -> tuple[str, str]:
    """Run the program as it was; return its prefix and what it printed.

    ``close()`` of PyPI's idle worker, called as it is about to wait for a job, may find nothing
    to cancel and wait for minutes: once in 15 runs on a busy machine. Its next run counts then.
    """
    for turn in range(3):
        before = f"{prefix}-before-{turn}"
        with suppress(TimeoutExpired):
            told = peer.run_by(
                peer.PYTHON, theirs, seconds=30, REDIS_URL=redis_url, PARCELS_PREFIX=before
            )
            return before, told
    pytest.fail("PyPI's bullmq did not end three times over")


async def test_the_program_runs_on_both_and_leaves_the_same(
    store: Store, redis_url: str, prefix: str, theirs: Path
) -> None:
    after = f"{prefix}-after"

    before, told = run_before(theirs, redis_url, prefix)
    tells = peer.run_by(sys.executable, PROGRAM, REDIS_URL=redis_url, PARCELS_PREFIX=after)

    assert tells == told
    assert "the truck left with ['blue packed', 'red packed']" in told
    expected = await state_of(store, before)
    assert await state_of(store, after) == expected
    assert len(expected) > 20
