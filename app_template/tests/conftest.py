"""What the tests share: a Redis, the web app's client, and the package's workers."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from anyio.from_thread import start_blocking_portal
from starlette.testclient import TestClient

from framework import Application
from framework.server import EmbeddedServer
from starter.web import api

AddByName = Callable[[str, object], str]


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server that REDIS_URL names, else an embedded one that ends with the tests."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with EmbeddedServer(tmp_path_factory.mktemp("redis")) as server:
        yield server.start().url


@pytest.fixture
def settings(redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings of this test's own: no .env, and a prefix for its keys, so jobs count from 1.

    Tasks may be started by whoever asks.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRAMEWORK_REDIS_URL", redis_url)
    monkeypatch.setenv("FRAMEWORK_PREFIX", f"test-{uuid4().hex}")
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")


@pytest.fixture
def client(settings: None) -> Iterator[TestClient]:
    """A client of the web app. Without `workers` its jobs stay in line."""
    with TestClient(api) as client:
        yield client


@pytest.fixture
def workers(settings: None) -> Iterator[AddByName]:
    """The package's workers, in a thread of their own.

    What it gives adds a job by its name, as another program would, and returns its id.
    """
    application = Application("starter")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(application):
        working, _ = portal.start_task(application.work)
        add = application.queue("demo").add
        yield lambda name, data: portal.call(add, name, data).id
        portal.call(application.stop)
        working.result()
