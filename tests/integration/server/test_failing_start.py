"""A server that cannot start says why, in its own words."""

from pathlib import Path

import pytest

from framework.errors import ServerError
from framework.server import EmbeddedServer
from tests.integration.server.processes import is_held, until, wrapper


def test_a_server_that_ends_at_once_shows_its_last_lines(tmp_path: Path) -> None:
    broken = wrapper(tmp_path, before="echo 'an old line'; echo 'cannot map memory' >&2; exit 3")

    with pytest.raises(ServerError) as caught:
        EmbeddedServer(tmp_path / "redis", binary=broken).start()

    assert "exit status 3" in str(caught.value)
    assert str(tmp_path / "redis" / "server.log") in str(caught.value)
    assert str(caught.value).endswith("\n  an old line\n  cannot map memory")


def test_lines_of_an_earlier_server_are_not_shown(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "redis"):
        pass
    broken = wrapper(tmp_path, before="kill -9 $$")

    with pytest.raises(ServerError, match=r"SIGKILL.*server\.log:$"):
        EmbeddedServer(tmp_path / "redis", binary=broken).start()


def test_a_server_that_refuses_its_data_says_so(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        (file,) = server.directory.data.glob("appendonlydir/*.incr.aof")
    file.write_text("no append-only file\n")

    with pytest.raises(ServerError, match=r"(?s)exit status 1.*Bad file format"):
        server.start()


def test_what_cannot_be_run_is_named(tmp_path: Path) -> None:
    no_program = tmp_path / "picture"
    no_program.write_bytes(b"\x89PNG")
    no_program.chmod(0o755)

    with pytest.raises(ServerError, match=r"picture cannot be run .*Exec format error.*REDIS_URL"):
        EmbeddedServer(tmp_path / "redis", binary=no_program).start()


def test_a_failed_start_leaves_no_user_behind(tmp_path: Path) -> None:
    broken = wrapper(tmp_path, before="exit 1")
    server = EmbeddedServer(tmp_path / "redis", binary=broken)

    with pytest.raises(ServerError):
        server.start()

    assert not is_held(tmp_path / "redis" / "users.lock")
    until(lambda: not is_held(tmp_path / "redis" / "reaper.lock"), "the reaper ends")
    server.binary = None
    with server:
        assert is_held(tmp_path / "redis" / "data.lock")
