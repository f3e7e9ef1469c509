"""The server that the tests use: REDIS_URL, else a container, else the embedded server.

A pytest plugin: ``pytest_plugins = ["tests.support.redis_server"]`` gives all tests its
fixtures, and the run ends with a line that says which server it was. Under pytest-xdist each
worker has a server of its own, except the one that REDIS_URL names.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import redis
from redis.backoff import ConstantBackoff, NoBackoff
from redis.retry import Retry

from framework.server import EmbeddedServer, status

PORT = 6379
CONTAINER_MAY_TAKE = 10.0
HOLDER = Path(__file__).with_name("redis_container.py")
DOCKER_SOCKETS = (
    Path("/var/run/docker.sock"),
    Path("~/.docker/run/docker.sock").expanduser(),
    Path(os.environ.get("XDG_RUNTIME_DIR", "/run"), "docker.sock"),
)


class Chosen(NamedTuple):
    """A server, in words for the summary, and how to let go of it."""

    url: str
    what: str
    close: Callable[[], object]


WHAT = pytest.StashKey[str]()
TOLD = "redis_server"


@pytest.fixture(scope="session")
def redis_url(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of the server that all tests share: keep to keys of your own."""
    chosen = from_environment() or from_container() or embedded(tmp_path_factory.mktemp("redis"))
    pytestconfig.stash[WHAT] = chosen.what
    yield chosen.url
    chosen.close()


@pytest.fixture
def private_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server of the test's own, to be killed, stopped, flushed: ``.start()`` gives its address.

    Each write is on disk before it is acknowledged.
    """
    with EmbeddedServer(tmp_path / "redis", appendfsync="always") as server:
        yield server


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that shows the results, if this one only ran tests for it."""
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        told[TOLD] = session.config.stash.get(WHAT, "")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - without xdist, it has no type
    """Hear which server a worker of pytest-xdist used; they differ in their addresses alone."""
    if what := getattr(node, "workeroutput", {}).get(TOLD, ""):
        node.config.stash[WHAT] = what


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say once which server the tests used, if any did."""
    if what := config.stash.get(WHAT, ""):
        terminalreporter.write_line(f"tests use: {what}")


def from_environment() -> Chosen | None:
    """The server that REDIS_URL names."""
    url = os.environ.get("REDIS_URL")
    if not url:
        return None
    if "+cluster:" in url:
        return Chosen(url, f"REDIS_URL (a cluster, {url.partition('://')[2]})", lambda: None)
    place = urlsplit(url)
    where = f"{place.hostname}:{place.port or PORT}" if place.hostname else place.path
    return Chosen(url, f"REDIS_URL ({version_at(url)} at {where})", lambda: None)


def embedded(data_dir: Path) -> Chosen:
    """A server of our own in a temporary directory."""
    server = EmbeddedServer(data_dir)
    url = server.start().url
    return Chosen(url, f"embedded server ({status(data_dir).version})", server.close)


def from_container(within: float = CONTAINER_MAY_TAKE) -> Chosen | None:
    """A container, if Docker gives one in time; whatever goes wrong means no."""
    if "DOCKER_HOST" not in os.environ and not any(map(Path.exists, DOCKER_SOCKETS)):
        return None
    holder = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    deadline = threading.Timer(within, holder.kill)
    deadline.start()
    try:
        assert holder.stdout is not None
        url = holder.stdout.readline().strip()
        version = version_at(url, patiently=True)
    except (ValueError, redis.RedisError):
        holder.kill()
        holder.communicate()
        return None
    finally:
        deadline.cancel()
        deadline.join()
    # The end of its input tells the holder to stop the container.
    return Chosen(url, f"container ({version})", holder.communicate)


def version_at(url: str, *, patiently: bool = False) -> str:
    """Ask a server for its kind and version; patiently means for two seconds."""
    retry = Retry(ConstantBackoff(0.05), 40) if patiently else Retry(NoBackoff(), 0)
    with redis.Redis.from_url(url, retry=retry, socket_timeout=5) as client:
        facts = client.info("server")
    valkey = facts.get("valkey_version")
    return f"valkey {valkey}" if valkey else f"redis {facts['redis_version']}"
