"""The tests themselves find a server wherever they run."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from framework.server import EmbeddedServer
from tests.integration.server.processes import is_gone, ping
from tests.support import redis_server
from tests.support.redis_server import embedded, from_container, from_environment

CODE = """
def test_one(redis_url): assert redis_url
def test_two(redis_url, private_server): assert private_server.start().url != redis_url
"""
NOTING = """
import pathlib, pytest
URLS = pathlib.Path(__file__).with_name("urls")

@pytest.mark.parametrize("number", [1, 2])
def test_it(redis_url, number):
    with URLS.open("a") as urls: print(redis_url, file=urls)
"""


def run_pytest(folder: Path, *options: str) -> str:
    """Run ``test_it.py`` of a folder, and return what pytest says."""
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.redis_server"]
    run = subprocess.run(  # noqa: S603 - our own test file
        [*pytest_, f"--basetemp={folder}/t", *options, str(folder / "test_it.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout


def test_the_line_that_says_which_server_it_was_is_printed_once(
    tmp_path: Path, private_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = private_server.start().url
    monkeypatch.setenv("REDIS_URL", url)
    (tmp_path / "test_it.py").write_text(CODE)

    said = run_pytest(tmp_path)

    assert "2 passed" in said
    assert said.count("tests use: REDIS_URL (") == 1
    assert str(private_server.start().socket) in said


def test_each_process_that_runs_tests_has_a_server_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    (tmp_path / "test_it.py").write_text(NOTING)

    said = run_pytest(tmp_path, "-n", "2", "--dist", "load")

    assert "2 passed" in said
    assert said.count("tests use: embedded server (") == 1
    assert len(set((tmp_path / "urls").read_text().split())) == 2
    folders = list(tmp_path.glob("t/popen-gw*/redis0"))
    assert len(folders) == 2
    assert all(map(is_gone, folders))


def test_without_anything_there_is_the_embedded_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert from_environment() is None

    chosen = embedded(tmp_path)

    assert chosen.what.startswith("embedded server (")
    assert ping(chosen.url)
    chosen.close()
    assert is_gone(tmp_path)


def test_a_docker_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "docker.sock"))
        mute.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

        assert from_container(within=0.1) is None


def test_no_docker_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(redis_server, "DOCKER_SOCKETS", [tmp_path / "docker.sock"])
    monkeypatch.setattr(redis_server, "HOLDER", tmp_path / "must not be run")

    assert from_container() is None


def test_a_container_is_used_until_the_end(
    tmp_path: Path, private_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = private_server.start().url
    holder = tmp_path / "holder.py"
    holder.write_text(
        f"print({url!r}, flush=True)\nopen(0).read()\nopen({str(tmp_path / 'stopped')!r}, 'w')\n"
    )
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker")
    monkeypatch.setattr(redis_server, "HOLDER", holder)

    chosen = from_container()

    assert chosen is not None
    assert chosen.url == url
    assert chosen.what.startswith("container (")
    assert not (tmp_path / "stopped").exists()
    chosen.close()
    assert (tmp_path / "stopped").exists()


def test_a_container_that_cannot_start_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = tmp_path / "holder.py"
    holder.write_text("raise SystemExit(1)")
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker")
    monkeypatch.setattr(redis_server, "HOLDER", holder)

    assert from_container() is None
