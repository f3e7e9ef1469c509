"""A virtual environment for each Python peer: their wishes for redis-py contradict each other."""

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.field import VENVS

REQUIREMENTS = Path(__file__).parent / "requirements"


def make_venv(name: str) -> Path:
    """Install what ``requirements/NAME.txt`` asks for, unless that was done; return its python."""
    wanted = REQUIREMENTS / f"{name}.txt"
    folder = VENVS / name
    python = (folder / "bin" / "python").absolute()
    done = folder / ".installed"
    if not wanted.exists() or (done.exists() and done.read_text() == wanted.read_text()):
        return python
    sys.stderr.write(f"installing {name} into {folder}\n")
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)  # noqa: S603
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(wanted)], check=True)  # noqa: S603
    done.write_text(wanted.read_text())
    return python
