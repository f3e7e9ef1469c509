"""What lies in a data directory, and what is said of one that is unfit."""

import errno
import fcntl
import os
import stat
import sys
from pathlib import Path

import pytest

from framework.errors import ServerError
from framework.server import EmbeddedServer, status
from framework.server.directory import make_private
from framework.server.resp import state_of
from tests.integration.server.processes import is_gone, open_files, ping, until

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def test_all_files_are_the_owners_alone(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "redis", tcp=True) as server:
        server.start()

        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode) & 0o077
            for path in server.directory.path.rglob("*")
        }

        assert stat.S_IMODE(server.directory.path.stat().st_mode) == 0o700
        assert modes.pop(".gitignore") == 0o044
        assert set(modes.values()) == {0}
        assert {"server.sock", "server.log", "tcp.conf", "data"} <= set(modes)


def test_a_directory_of_somebody_elses_keeps_its_mode_and_is_not_ignored(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    with EmbeddedServer(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
        assert not (tmp_path / ".gitignore").exists()


@pytest.mark.parametrize("unfit", ["/proc/framework", "file/redis"])
def test_an_unwritable_directory_is_named_with_the_way_out(tmp_path: Path, unfit: str) -> None:
    (tmp_path / "file").touch()
    data_dir = tmp_path / unfit

    with pytest.raises(ServerError) as caught:
        EmbeddedServer(data_dir).start()

    assert str(data_dir) in str(caught.value)
    assert "REDIS_URL" in str(caught.value)


def test_a_directory_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_fd: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)

    with pytest.raises(ServerError, match=r"No locks available.*REDIS_URL") as caught:
        EmbeddedServer(tmp_path).start()
    assert str(tmp_path) in str(caught.value)


def test_a_server_that_does_not_inherit_its_lock_is_stopped(tmp_path: Path) -> None:
    forgetful = tmp_path / "forgetful"
    real = EmbeddedServer(tmp_path).directory
    forgetful.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "from framework.server import find_binary\n"
        "os.closerange(3, 100)\n"
        "os.execv(find_binary(), [str(find_binary()), *sys.argv[1:]])\n"
    )
    forgetful.chmod(0o755)

    with pytest.raises(ServerError, match=r"file locks do not hold in .*REDIS_URL"):
        EmbeddedServer(tmp_path, binary=forgetful).start()
    until(lambda: state_of(real.socket) == "silent", "the server ends")


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 20) / ("long" * 20)
    link = tmp_path / "link"
    link.symlink_to(deep)

    with EmbeddedServer(deep) as server, EmbeddedServer(link) as same:
        address = server.start()

        assert len(os.fsencode(address.socket)) < 100
        assert stat.S_IMODE(address.socket.parent.stat().st_mode) == 0o700
        assert same.start() == address
        assert ping(address.url)
    assert is_gone(deep)
    assert not address.socket.exists()


def test_a_shared_folder_for_sockets_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    with pytest.raises(ServerError, match=r"is open to other users.*REDIS_URL"):
        make_private(tmp_path)


def test_odd_characters_in_a_path_reach_the_server(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / 'a b%20?"#ü') as server:
        assert ping(server.start().url)


def test_a_relative_directory_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = EmbeddedServer(Path(".framework"))
    monkeypatch.chdir("/")

    with server:
        assert (tmp_path / ".framework" / "server.sock").exists()


@ON_LINUX
def test_the_server_holds_the_lock_on_its_data_and_no_other(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        files = open_files(server.start().pid)

    assert {name for name in files if name.endswith(".lock")} == {"data.lock"}


def test_a_log_is_not_left_to_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedServer(tmp_path):
        pass
    log = tmp_path / "server.log"
    os.truncate(log, (1 << 20) + 1)

    with EmbeddedServer(tmp_path) as server:
        assert log.stat().st_size < 1 << 20
        assert "Ready to accept" in server.directory.log_tail((1 << 20) + 1)


def test_looking_at_a_directory_without_a_server_makes_nothing(tmp_path: Path) -> None:
    seen = status(tmp_path / "none")

    assert not seen.running
    assert not (tmp_path / "none").exists()
