"""A client of a gateway, over a line that can be cut."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from framework_gateway import Gateway, GatewayClient
from tests.plugins.gateway.client.line import Line
from tests.plugins.gateway.conftest import KEY

WRONG = "wrong-key"


def soon(failures: int) -> timedelta:
    """Wait a moment, however often it failed."""
    assert failures > 0
    return timedelta(milliseconds=5)


def client_at(url: str, token: str = KEY, seconds: float | None = 10) -> GatewayClient:
    """Make a client that comes back soon."""
    timeout = None if seconds is None else timedelta(seconds=seconds)
    return GatewayClient(url, token=token, timeout=timeout, reconnect_delay=soon)


def client_of(gateway: Gateway, token: str = KEY) -> GatewayClient:
    """Make a client right at a gateway."""
    return client_at(f"ws://127.0.0.1:{gateway.port}", token)


@pytest.fixture
async def line(gateway: Gateway) -> AsyncIterator[Line]:
    """A line to the gateway."""
    async with Line(gateway.port).serve() as line:
        yield line


@pytest.fixture
async def client(line: Line) -> AsyncIterator[GatewayClient]:
    """A client at the other end of the line."""
    async with client_at(line.url) as client:
        yield client
