"""The same day passes wherever Redis lives."""

from pathlib import Path

import pytest

from framework.errors import RedisUnavailableError
from framework.store.store import Store
from tests.places.conftest import tls_server
from tests.places.everyday import everyday
from tests.support.clusters import Cluster
from tests.support.sentinels import SentinelSet
from tests.support.servers import Server, one_server


async def test_over_tcp_with_a_password_and_a_database(tmp_path: Path, prefix: str) -> None:
    with one_server(tmp_path) as server:
        server.ask("ACL", "SETUSER", "default", ">p@ss/word")
        url = f"redis://:p%40ss%2Fword@127.0.0.1:{server.port}/3"

        await everyday(url, prefix)


async def test_over_a_socket_file(tmp_path: Path, prefix: str) -> None:
    socket = tmp_path / "a socket"
    with one_server(tmp_path, "--unixsocket", str(socket)):
        await everyday(f"unix://{str(socket).replace(' ', '%20')}?db=2", prefix)


async def test_over_tls_with_certificates_of_our_own(
    tmp_path: Path, prefix: str, certificates: Path
) -> None:
    with tls_server(tmp_path, certificates) as port:
        await everyday(
            f"rediss://localhost:{port}",
            prefix,
            redis_tls_ca=str(certificates / "ca.crt"),
            redis_tls_cert=str(certificates / "client.crt"),
            redis_tls_key=str(certificates / "client.key"),
        )


@pytest.mark.parametrize(
    ("host", "files", "problem"),
    [
        ("localhost", ("ssl_certfile=client.crt", "ssl_keyfile=client.key"), "self-signed"),
        ("127.0.0.1", ("ssl_ca_certs=ca.crt",), "IP address mismatch"),
    ],
    ids=["an unknown authority", "another host"],
)
async def test_a_server_that_cannot_prove_itself_is_not_talked_to(
    tmp_path: Path, certificates: Path, host: str, files: tuple[str, ...], problem: str
) -> None:
    query = "&".join(file.replace("=", f"={certificates}/") for file in files)
    with tls_server(tmp_path, certificates) as port:
        async with Store(f"rediss://{host}:{port}?{query}") as store:
            with pytest.raises(RedisUnavailableError, match=problem):
                await store.check(0.2)


async def test_on_redis_62(redis_62: Server, prefix: str) -> None:
    await everyday(redis_62.url, prefix)


async def test_on_redis_70(redis_70: Server, prefix: str) -> None:
    await everyday(redis_70.url, prefix)


async def test_behind_sentinels(a_sentinel_set: SentinelSet, prefix: str) -> None:
    await everyday(a_sentinel_set.url, prefix)


async def test_on_a_cluster_with_queues_in_two_slots(a_cluster: Cluster, prefix: str) -> None:
    await everyday(a_cluster.url, prefix)


async def test_on_a_cluster_with_all_queues_in_one_slot(a_cluster: Cluster, prefix: str) -> None:
    await everyday(a_cluster.url, f"{{{prefix}}}")
