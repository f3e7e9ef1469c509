"""Runs mypy on what must pass and on what must not."""

import re
import sys
from pathlib import Path

import anyio
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WANTED = re.compile(r"# error: ([a-z-]+)$")
FOUND = re.compile(r"^(\S+\.py):(\d+): error: .*\[([a-z-]+)\]$")
SAMPLES = sorted((HERE / "must_fail").glob("*.py"))

Places = set[tuple[str, int, str]]


async def errors_in(*paths: Path) -> Places:
    """Return file, line and code of each error that mypy finds."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", *map(str, paths)]
    run = await anyio.run_process(command, cwd=ROOT, check=False)
    lines = run.stdout.decode().splitlines()
    matches = [match for line in lines if (match := FOUND.match(line))]
    assert len(matches) == len([line for line in lines if ": error:" in line]), lines
    return {(Path(match[1]).name, int(match[2]), match[3]) for match in matches}


def wanted_in(path: Path) -> Places:
    lines = path.read_text().splitlines()
    return {
        (path.name, number, match[1])
        for number, line in enumerate(lines, start=1)
        if (match := WANTED.search(line))
    }


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_must_not_pass_fails_where_it_should() -> None:
    wanted: Places = {place for path in SAMPLES for place in wanted_in(path)}

    assert await errors_in(*SAMPLES) == wanted


def test_each_sample_says_what_is_wrong_with_it() -> None:
    assert [path.name for path in SAMPLES if not wanted_in(path)] == []


async def test_what_users_write_passes() -> None:
    assert await errors_in(HERE / "uses.py") == set()
