"""A copy of what a wheel is built from, the wheel, and an empty environment that holds it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.command import FOREIGN

REPOSITORY = Path(__file__).parents[3]
SOURCES = (".ci", ".gitignore", "LICENSE", "README.md", "app_template", "framework", "plugins")
LEFT = shutil.ignore_patterns(
    "__pycache__", ".framework", ".env", ".*_cache", "*.egg-info", "node_modules"
)


class Done(NamedTuple):
    """How a command ended."""

    code: int
    output: str


def run(*command: str | Path, cwd: Path, seconds: float = 120) -> Done:
    """Run a command; what it says goes into the output, errors too."""
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=cwd,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Done(done.returncode, done.stdout)


def clean_environment() -> dict[str, str]:
    """The environment, without what would lead to the repository or to another server."""
    hidden = (*FOREIGN, "PYTHONPATH", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    # Others of this repository are seen where the dependencies are, but being editable not found.
    return {**kept, "FRAMEWORK_PLUGINS": "web"}


def copy_sources(place: Path) -> Path:
    """Copy what a build needs, as a fresh clone has it."""
    place.mkdir()
    for name in (*SOURCES, "pyproject.toml"):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=LEFT)
        elif source.exists():
            shutil.copy(source, place / name)
    return place


def build(sources: Path, *what: str) -> Done:
    """Build into ``dist``; without ``what`` a source distribution, and a wheel from that."""
    # The build's own requirement is fetched only where this environment lacks it.
    isolation = ["--no-isolation"] if find_spec("hatchling") else []
    return run(sys.executable, "-m", "build", *isolation, *what, cwd=sources)


@pytest.fixture(scope="package")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_sources(tmp_path_factory.mktemp("build") / "clone")


@pytest.fixture(scope="package")
def wheel(sources: Path) -> Path:
    """The wheel, built by way of a source distribution."""
    done = build(sources)
    assert done.code == 0, done.output
    (wheel,) = (sources / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="package")
def plugin_wheel(sources: Path) -> Path:
    """The wheel of the plugin that a new project uses."""
    plugin = sources / "plugins" / "web"
    done = build(plugin, "--wheel")
    assert done.code == 0, done.output
    (wheel,) = (plugin / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="package")
def scripts(wheel: Path, plugin_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that holds both wheels and what they depend on.

    Dependencies are those of the environment that runs the tests, so nothing is fetched.
    """
    place = tmp_path_factory.mktemp("environment")
    made = run(sys.executable, "-m", "venv", "--without-pip", ".", cwd=place)
    assert made.code == 0, made.output
    python = place / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    put = run(*pip, "install", "--no-index", "--no-deps", wheel, plugin_wheel, cwd=place)
    assert put.code == 0, put.output
    # Lines of such a file are searched last, and the editable install there is not followed.
    (purelib,) = place.glob("lib/python*/site-packages")
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin"
