"""The plugin, installed as users install it, from its sources here."""

import tomllib
from pathlib import Path

import pytest

from tests.support.apps import open_app
from tests.support.loop_clock import loop_clock
from tests.support.plugins import write_plugin

__all__ = ["loop_clock", "open_app"]
PROJECT = Path(__file__).parents[3] / "plugins" / "web" / "pyproject.toml"


@pytest.fixture(autouse=True)
def web_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let its entry point be found; one that is installed in the environment is hidden by it."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    value = project["entry-points"]["framework.plugins"]["web"]
    monkeypatch.syspath_prepend(write_plugin(tmp_path / "site-web", "web", {}, value=value))
