"""PyPI's ``bullmq``, in the environment that ``make`` gives it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.support.command import FOREIGN

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
PYTHON = REPOSITORY / ".venv-bullmq" / "bin" / "python"
INSTALL = "make .venv-bullmq/.installed"


def run_by(python: str | Path, program: Path, *, seconds: float = 60, **environment: str) -> str:
    """Run a program, and return what it wrote to its standard output."""
    if not Path(python).exists():
        raise AssertionError(f"{python} is missing: {INSTALL}")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    done = subprocess.run(  # noqa: S603 - our own programs
        [str(python), str(program)],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names() -> dict[str, Any]:
    """Return what ``names_of.py`` tells of the package."""
    found: dict[str, Any] = json.loads(run_by(PYTHON, HERE / "names_of.py"))
    return found
