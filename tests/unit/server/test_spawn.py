from pathlib import Path

from framework.cli.server import masked, size
from framework.server.control import keys_in, version_of
from framework.server.directory import DataDirectory
from framework.server.spawn import server_arguments

WITHOUT_TCP = """
--port 0 --unixsocket /d/server.sock --unixsocketperm 700 --dir /d/data --appendonly yes
--appendfsync everysec --aof-use-rdb-preamble no --save  --maxmemory-policy noeviction
--daemonize no
"""


def test_the_server_is_durable_and_never_evicts() -> None:
    arguments = server_arguments(DataDirectory(Path("/d")), appendfsync="everysec", tcp=False)

    assert arguments == WITHOUT_TCP.strip().replace("\n", " ").split(" ")


def test_port_and_password_come_from_a_file() -> None:
    arguments = server_arguments(DataDirectory(Path("/d")), appendfsync="always", tcp=True)

    assert arguments[0] == "/d/tcp.conf"
    assert "--port" not in arguments
    assert arguments[arguments.index("--appendfsync") + 1] == "always"


def test_a_short_path_keeps_its_socket_and_a_long_one_does_not() -> None:
    short, long = Path("/d"), Path("/" + "d" * 100)

    assert DataDirectory(short).socket == short / "server.sock"
    assert DataDirectory(long).socket == DataDirectory(long).socket
    assert DataDirectory(long).socket != DataDirectory(long / "e").socket
    assert len(str(DataDirectory(long).socket)) < 100


def test_servers_are_named_by_what_they_are() -> None:
    assert version_of({"redis_version": "7.2.4", "valkey_version": "9.1.2"}) == "valkey 9.1.2"
    assert version_of({"redis_version": "7.4.1"}) == "redis 7.4.1"


def test_keys_are_counted() -> None:
    assert keys_in("keys=12,expires=3,avg_ttl=0") == 12


def test_numbers_and_addresses_are_worded_for_the_eye() -> None:
    assert [size(n) for n in (0, 1023, 1536, 5 << 20, 3 << 30)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "5.0 MiB",
        "3.0 GiB",
    ]
    assert masked("redis://:key@127.0.0.1:1/0") == "redis://:***@127.0.0.1:1/0"
    assert masked("unix:///a/b.sock") == "unix:///a/b.sock"
