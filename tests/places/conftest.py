"""The places that these tests reach, each started once and left as it was."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.places.binaries import DEBIANS, OLD
from tests.support.clusters import Cluster, cluster
from tests.support.sentinels import SentinelSet, sentinel_set
from tests.support.servers import Server, free_port, one_server


@pytest.fixture(scope="session")
def a_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="session")
def dying_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Each test that takes it may kill one of its three first masters; its replica takes over."""
    with cluster(tmp_path_factory.mktemp("dying")) as made:
        yield made


@pytest.fixture(scope="session")
def a_sentinel_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelSet]:
    with sentinel_set(tmp_path_factory.mktemp("sentinel")) as made:
        yield made


@pytest.fixture(scope="session")
def redis_62(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with one_server(
        tmp_path_factory.mktemp("redis62"), binary=need(OLD, "sh .ci/old-redis")
    ) as made:
        yield made


@pytest.fixture(scope="session")
def redis_70(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    binary = need(DEBIANS, "apt-get install redis-server")
    with one_server(tmp_path_factory.mktemp("redis70"), binary=binary) as made:
        yield made


@contextmanager
def tls_server(folder: Path, certificates: Path) -> Iterator[int]:
    """Start Debian's Redis with TLS, for clients with a certificate only; yield that port."""
    port = free_port()
    options = {
        "--tls-port": str(port),
        "--tls-ca-cert-file": str(certificates / "ca.crt"),
        "--tls-cert-file": str(certificates / "server.crt"),
        "--tls-key-file": str(certificates / "server.key"),
    }
    words = [word for option in options.items() for word in option]
    with one_server(folder, *words, binary=need(DEBIANS, "apt-get install redis-server")):
        yield port


def need(binary: Path, command: str) -> Path:
    """Return a server's binary; without it the test is skipped, and says what brings it."""
    if not binary.is_file():
        pytest.skip(f"{binary} is not there: {command}")
    return binary


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``ca.crt``, and ``server`` and ``client`` of it, each .crt and .key."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607 - the machine's

    def key_for(name: str) -> list[str]:
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        return ["req", *curve, "-keyout", f"{name}.key", "-subj", f"/CN={name}"]

    openssl(*key_for("ca"), "-x509", "-days", "2", "-out", "ca.crt")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    for name in ("server", "client"):
        openssl(*key_for(name), "-out", f"{name}.csr")
        signed_by = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
        more = [*signed_by, "-extfile", "names", "-out", f"{name}.crt"]
        openssl("x509", "-req", "-in", f"{name}.csr", *more)
    return folder
