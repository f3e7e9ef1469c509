"""Plugins that are installed for one test."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.apps import open_app
from tests.support.plugins import Install, write_plugin

__all__ = ["open_app"]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a plugin for this test; several may be, one after the other."""
    before = set(sys.modules)

    def install(name: str, modules: Mapping[str, str], *, value: str = "") -> Path:
        folder = write_plugin(tmp_path / f"site-{name}", name, modules, value=value)
        monkeypatch.syspath_prepend(folder)
        return folder

    yield install
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
