"""``framework server status`` and ``framework server stop``."""

import os
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from framework.cli.server import server_app
from framework.server import EmbeddedServer, ending, status
from tests.integration.server.processes import is_gone, write


def run(*arguments: str) -> Result:
    return CliRunner().invoke(server_app, arguments)


def test_status_tells_what_runs(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        address = server.start()
        write(address.url, "name", "Ada")

        shown = run("status", "--dir", str(tmp_path))

    assert shown.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines())
    assert lines["server"].endswith(f", process {address.pid}")
    assert lines["url"] == address.url
    assert lines["keys"] == "1"
    assert str(tmp_path) in lines["data"]
    assert lines["ends"] == "with its last user"


def test_status_hides_the_password(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, tcp=True) as server:
        url = server.start().url

        shown = run("status", "--dir", str(tmp_path))

    assert url.split("@")[1] in shown.stdout
    assert url.split(":")[2].split("@")[0] not in shown.stdout


def test_status_of_none_says_so_and_exits_with_one(tmp_path: Path) -> None:
    shown = run("status", "--dir", str(tmp_path))

    assert shown.exit_code == 1
    assert shown.stderr == f"no embedded server runs in {tmp_path}\n"


def test_status_of_one_that_hangs_shows_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "ASK_FOR", 0.1)
    with EmbeddedServer(tmp_path) as server:
        pid = server.start().pid
        os.kill(pid, signal.SIGSTOP)

        shown = run("status", "--dir", str(tmp_path))

        assert shown.exit_code == 1
        assert f"process {pid}" in shown.stdout
        assert "does not answer" in shown.stdout


def test_stop_ends_a_server_in_use_and_keeps_its_data(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, life="persistent") as server:
        write(server.start().url, "name", "Ada")
        assert status(tmp_path).in_use

        stopped = run("stop", "--dir", str(tmp_path))

        assert stopped.exit_code == 0
        assert "its data stays" in stopped.stdout
        assert is_gone(tmp_path)
    with EmbeddedServer(tmp_path) as server:
        server.start()
        assert status(tmp_path).keys == 1


def test_stop_without_a_server_is_no_error(tmp_path: Path) -> None:
    stopped = run("stop", "--dir", str(tmp_path))

    assert stopped.exit_code == 0
    assert "no embedded server runs" in stopped.stdout


def test_stop_of_an_unreadable_directory_is_one(tmp_path: Path) -> None:
    (tmp_path / "start.lock").mkdir()

    stopped = run("stop", "--dir", str(tmp_path))

    assert stopped.exit_code == 1
    assert "REDIS_URL" in stopped.stderr
