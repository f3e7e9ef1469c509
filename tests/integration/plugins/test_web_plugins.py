"""What plugins mount in a web app, and the commands that they add to ours."""

import os
import signal
import sys
import urllib.request
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from framework import PluginError
from framework.asgi import lifespan, plugin_app
from tests.support.command import command, write_package
from tests.support.plugins import Install, write_plugin
from tests.support.servers import free_port
from tests.support.stopwatch import Stopwatch

DOORS = {
    "doors/__init__.py": """
        class Plugin:
            contract = 1

            def setup(self, builder) -> None:
                builder.mount("/doors", "doors.heavy:app")
                builder.command("doors", "doors.heavy:commands", help="Look after doors.")
                builder.reads("FRAMEWORK_DOORS_", dev={"FRAMEWORK_DOORS_OPEN": "wide"})
                builder.command("knock", "doors.heavy:knock", help="Knock at a door.")

        plugin = Plugin()
    """,
    "doors/heavy.py": """
        import os
        import sys
        print("heavy imported", file=sys.stderr)
        import typer
        from framework import RedisUnavailableError, Settings, SettingsError
        from framework.asgi import inject
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse
        from starlette.routing import Route

        async def prefix(request):
            return PlainTextResponse((await inject(Settings)(request)).prefix)

        async def how_open(request):
            return PlainTextResponse(os.environ.get("FRAMEWORK_DOORS_OPEN", "as .env says"))

        app = Starlette(
            routes=[Route("/prefix", prefix), Route("/mine", prefix), Route("/open", how_open)]
        )
        commands = typer.Typer()

        @commands.command()
        def shut(name: str) -> None:
            typer.echo(f"shut {name}")

        @commands.command()
        def open() -> None:
            typer.echo("open")

        @commands.command()
        def lock() -> None:
            raise RedisUnavailableError("redis://nowhere", "refused")

        def knock(times: int = 1) -> None:
            if times < 1:
                raise SettingsError("times: not at all is no knock")
            typer.echo("knock " * times)
    """,
}
WORK = """
    from framework import Job, processor

    @processor("a")
    async def work(job: Job[int]) -> None: ...
"""
BROKEN = {"a_broken_plugin.py": "import not_there_at_all"}


@pytest.fixture(autouse=True)
def environment(redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_REDIS_URL", redis_url)
    monkeypatch.setenv("FRAMEWORK_PREFIX", prefix)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package that declares nothing, under a name of its own."""
    name = f"shop_{os.urandom(4).hex()}"
    write_package(tmp_path, name)
    monkeypatch.syspath_prepend(tmp_path)
    return name


async def answer(_: object) -> PlainTextResponse:
    return PlainTextResponse("the app's own")


def test_what_a_plugin_mounts_is_served_and_injected(
    install: Install, shop: str, prefix: str
) -> None:
    install("doors", DOORS)

    with TestClient(plugin_app(shop)) as client:
        assert client.get("/doors/prefix").text == prefix
        assert client.get("/elsewhere").status_code == 404


def test_the_routes_of_the_web_app_go_first_but_for_those_that_take_all(
    install: Install, shop: str, prefix: str
) -> None:
    install("doors", DOORS)
    routes = [Route("/doors/mine", answer), Mount("/", app=PlainTextResponse("a file"))]
    api = FastAPI(lifespan=lifespan(shop), routes=routes, openapi_url=None)

    for _ in range(2):
        with TestClient(api) as client:
            assert client.get("/doors/prefix").text == prefix
            assert client.get("/doors/mine").text == "the app's own"
            assert client.get("/elsewhere").text == "a file"
    assert len(api.router.routes) == 2


def test_a_path_that_the_web_app_has_itself_stops_the_start(install: Install, shop: str) -> None:
    install("doors", DOORS)
    api = FastAPI(lifespan=lifespan(shop), routes=[Route("/doors", answer)])

    with (
        pytest.raises(PluginError, match=r"mounts /doors, which the web app answers itself"),
        TestClient(api),
    ):
        pass


def test_a_mounted_app_that_cannot_be_imported_stops_the_start(install: Install, shop: str) -> None:
    install("doors", {**DOORS, "doors/heavy.py": "import not_there_at_all"})

    with (
        pytest.raises(
            PluginError, match=r'"doors" \(framework-doors 1.2\): doors.heavy:app cannot'
        ),
        TestClient(plugin_app(shop)),
    ):
        pass


@pytest.fixture
def at_door(tmp_path: Path) -> dict[str, str]:
    """An environment in which the plugin of doors is installed."""
    site = write_plugin(tmp_path / "site", "doors", DOORS)
    return {"PYTHONPATH": os.pathsep.join([str(site), *sys.path])}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["doors", "shut", "north"], "shut north"),
        (["knock", "--times", "2"], "knock knock"),
        (["doors", "--help"], "shut"),
    ],
)
def test_a_command_of_a_plugin_runs(
    at_door: dict[str, str], tmp_path: Path, arguments: list[str], says: str
) -> None:
    with command(*arguments, cwd=tmp_path, environment=at_door) as run:
        assert run.ends() == 0, run.output

    assert says in run.output


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["doors", "lock"], 69, "error: cannot reach redis at redis://nowhere (refused)"),
        (["knock", "--times", "0"], 78, "error: times: not at all is no knock"),
    ],
)
def test_a_command_of_a_plugin_ends_as_our_own_do(
    at_door: dict[str, str], tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    with command(*arguments, cwd=tmp_path, environment=at_door) as run:
        assert run.ends() == code, run.output

    assert says in run.output
    assert "Traceback" not in run.output


def test_the_list_of_commands_has_those_of_plugins_and_imports_none(
    at_door: dict[str, str], tmp_path: Path
) -> None:
    with command("--help", cwd=tmp_path, environment=at_door) as run:
        assert run.ends() == 0, run.output

    assert "Look after doors." in run.output
    assert "heavy imported" not in run.output


def test_a_plugin_that_is_left_out_has_no_commands(at_door: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FRAMEWORK_PLUGINS=none\n")

    with command("knock", cwd=tmp_path, environment=at_door) as run:
        assert run.ends() == 2, run.output

    assert "No such command" in run.output


def test_a_broken_plugin_stops_workers_and_leaves_the_help(redis_url: str, tmp_path: Path) -> None:
    site = write_plugin(tmp_path / "site", "broken", BROKEN)
    environment = {
        "PYTHONPATH": os.pathsep.join([str(site), *sys.path]),
        "FRAMEWORK_REDIS_URL": redis_url,
    }
    write_package(tmp_path, "shop", jobs=WORK)
    named = 'error: plugin "broken" (framework-broken 1.2): it cannot be imported'

    for arguments, code in (
        (["run", "shop"], 78),
        (["dev", "shop", "--no-reload"], 78),
        (["nothing-known"], 78),
        (["--help"], 0),
    ):
        with command(*arguments, cwd=tmp_path, environment=environment) as run:
            assert run.ends() == code, run.output
        assert named in run.output, arguments


def test_dev_serves_what_plugins_mount_where_a_package_has_no_web_app(
    at_door: dict[str, str], redis_url: str, prefix: str, tmp_path: Path
) -> None:
    port = free_port()
    write_package(tmp_path, "shop", jobs=WORK)
    told = {"FRAMEWORK_REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix, "PORT": str(port)}

    with command("dev", "shop", "--no-reload", cwd=tmp_path, environment=at_door | told) as dev:
        dev.says(f"http://127.0.0.1:{port}")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/doors/prefix") as answer:
            said = answer.read().decode()
        dev.send(signal.SIGINT)
        assert dev.ends() == 0, dev.output

    assert said == prefix


@pytest.mark.parametrize(
    ("environment", "file", "seen"),
    [
        ({}, "", "wide"),
        ({"FRAMEWORK_DOORS_OPEN": "ajar"}, "", "ajar"),
        ({}, "FRAMEWORK_DOORS_OPEN=ajar", "as .env says"),
    ],
)
def test_dev_sets_what_a_plugin_wants_on_a_laptop_unless_it_is_set(
    at_door: dict[str, str],
    redis_url: str,
    tmp_path: Path,
    environment: dict[str, str],
    file: str,
    seen: str,
) -> None:
    port = free_port()
    write_package(tmp_path, "shop", jobs=WORK)
    (tmp_path / ".env").write_text(file)
    told = at_door | environment | {"FRAMEWORK_REDIS_URL": redis_url, "PORT": str(port)}

    with command("dev", "shop", "--no-reload", cwd=tmp_path, environment=told) as dev:
        dev.says(f"http://127.0.0.1:{port}")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/doors/open") as answer:
            assert answer.read().decode() == seen


def test_help_comes_in_time(at_door: dict[str, str], tmp_path: Path) -> None:
    # By turns, so that a slow machine is slow for both.
    without = {**at_door, "FRAMEWORK_PLUGINS": "none"}
    took = [(seconds_of_help(at_door, tmp_path), seconds_of_help(without, tmp_path)) for _ in "abc"]

    assert min(one / other for one, other in took) < 1.5, took


def seconds_of_help(environment: dict[str, str], folder: Path) -> float:
    """Return how long `framework --help` takes."""
    watch = Stopwatch()
    with command("--help", cwd=folder, environment=environment) as run:
        assert run.ends() == 0
    return watch.seconds
