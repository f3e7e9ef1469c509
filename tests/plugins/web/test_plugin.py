"""The plugin `web` is found where it is installed, and stands on what is public alone."""

import ast
from pathlib import Path

import pytest

from framework import __all__ as public
from framework_web.plugin import plugin
from tests.support.apps import Open

SOURCES = Path(__file__).parents[3] / "plugins"
ALLOWED = {"framework", "framework.asgi"}


def test_an_application_takes_the_plugin(open_app: Open) -> None:
    app = open_app(plugins=("web",))

    assert app.builder.by == "web"
    assert plugin.contract == 1


@pytest.mark.parametrize(
    "file", sorted(SOURCES.rglob("framework_*/**/*.py")), ids=lambda file: file.name
)
def test_a_plugin_imports_only_what_is_public(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if of_framework(module):
                assert module in ALLOWED
                if module == "framework":
                    assert {one.name for one in names} <= {*public, "asgi"}
            case ast.Import(names=names):
                ours = {one.name for one in names if of_framework(one.name)}
                assert ours <= ALLOWED
            case _:
                pass


def of_framework(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] == "framework"
