"""A live gateway on a real socket, and clients of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx2
import pytest

from framework import Application, Queue
from framework_gateway import Gateway, GatewaySettings, Token, start_gateway
from tests.support.apps import settings_of
from tests.support.loop_clock import loop_clock  # noqa: F401 - a fixture

KEY = "right-key"
Start = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def start(redis_url: str, prefix: str) -> AsyncIterator[Start]:
    """Start gateways, of whatever settings; they are closed at the end."""
    async with AsyncExitStack() as stack:

        async def make(*keys: str | Token, port: int = 0, **told: object) -> Gateway:
            registry = {
                "worker_metadata_key": f"workers-{prefix}",
                "worker_metadata_stream": f"changes-{prefix}",
            }
            settings = GatewaySettings(**{"grace_period": 1.0, **registry, **told})  # type: ignore[arg-type]  # as named by the test
            gateway = await start_gateway(
                settings_of(redis_url, prefix), keys or (KEY,), port=port, settings=settings
            )
            return await stack.enter_async_context(gateway)

        yield make


@pytest.fixture
async def gateway(start: Start) -> Gateway:
    """One gateway, which `KEY` opens."""
    return await start()


def client_of(gateway: Gateway, key: str = KEY) -> httpx2.AsyncClient:
    """Make an HTTP client that sends a key."""
    base = f"http://127.0.0.1:{gateway.port}"
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.AsyncClient(base_url=base, headers=headers, timeout=30)


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of it that sends the key."""
    async with client_of(gateway) as client:
        yield client


@pytest.fixture
async def app(redis_url: str, prefix: str) -> AsyncIterator[Application]:
    """An application beside the gateway, on the same queues."""
    async with Application(settings=settings_of(redis_url, prefix)) as app:
        yield app


@pytest.fixture
def queue(app: Application) -> Queue:
    """The queue that most tests use."""
    return app.queue("demo")
