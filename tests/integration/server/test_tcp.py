"""A TCP port opens on request only, and takes a password."""

import re
import stat
import sys
from pathlib import Path

import pytest
import redis

from framework.errors import ServerError
from framework.server import EmbeddedServer, stop
from tests.integration.server.processes import User, client, is_gone, ping, until


def test_without_a_request_there_is_no_port(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server, client(server.start().url) as connected:
        assert connected.config_get("port") == {"port": "0"}
        assert connected.info("server")["tcp_port"] == 0


def test_a_port_takes_the_password_of_its_url_alone(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, tcp=True) as server:
        address = server.start()

        assert re.fullmatch(r"redis://:[0-9a-f]{48}@127\.0\.0\.1:\d+/0", address.url)
        assert ping(address.url)
        assert address.url not in repr(address)
        for place in (re.sub(":[0-9a-f]+@", "", address.url), f"unix://{address.socket}"):
            with pytest.raises(redis.AuthenticationError):
                ping(place)
    assert is_gone(tmp_path)


def test_the_password_is_in_a_file_of_the_owner_and_nowhere_else(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, tcp=True) as server:
        password = server.start().url.split(":")[2].split("@")[0]

        holders = [
            path.name
            for path in tmp_path.rglob("*")
            if path.is_file() and password in path.read_text(errors="replace")
        ]

        assert holders == ["tcp.conf"]
        assert stat.S_IMODE((tmp_path / "tcp.conf").stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_password_is_not_among_the_arguments(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, tcp=True) as server:
        address = server.start()
        password = address.url.split(":")[2].split("@")[0]

        assert password not in Path(f"/proc/{address.pid}/cmdline").read_text()


def test_port_and_password_stay_the_same(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, tcp=True) as server:
        first = server.start().url
    with EmbeddedServer(tmp_path, tcp=True) as server:
        assert server.start().url == first


def test_a_user_that_asks_for_no_port_gets_the_address_that_works(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, tcp=True) as one, EmbeddedServer(tmp_path) as two:
        assert two.start() == one.start()


def test_a_port_cannot_be_opened_later(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        with pytest.raises(ServerError, match=r"without a TCP port.*framework server stop"):
            EmbeddedServer(tmp_path, tcp=True).start()

        assert ping(server.start().url)


def test_a_session_after_one_with_a_port_has_none(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, tcp=True):
        pass

    with EmbeddedServer(tmp_path) as server:
        assert server.start().url == f"unix://{tmp_path}/server.sock"
        assert ping(server.start().url)


def test_a_server_with_a_password_is_stopped_and_reaped(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, tcp=True) as server:
        assert stop(tmp_path)
        server.start()
        with User(tmp_path) as user:
            user.does("start")
            server.close()
            user.kill()

            until(lambda: is_gone(tmp_path), "the server ends")
    assert (tmp_path / "server.log").read_text().count("User requested shutdown") == 2
