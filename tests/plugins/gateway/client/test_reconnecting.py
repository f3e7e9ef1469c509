"""When a client connects again, and to what."""

import subprocess
import sys
from datetime import timedelta

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework import OptionsError
from framework_gateway import GatewayClient
from framework_gateway.client.address import Address, path_of
from framework_gateway.client.backoff import reconnect_delay
from tests.plugins.gateway.client.conftest import client_at
from tests.plugins.gateway.client.line import Line
from tests.plugins.gateway.conftest import KEY
from tests.support.until import until

# Runs in a process of its own: here everything is imported already.
IMPORTS = """
import sys
from framework_gateway import GatewayClient, GatewayError, RemoteQueue
heavy = {"redis", "starlette", "uvicorn", "pydantic", "httpcore2", "typer"}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [(1, 0.5, 1), (2, 1, 2), (3, 2, 4), (4, 4, 8), (5, 8, 16), (6, 15, 30), (1000, 15, 30)],
)
def test_each_failure_doubles_the_wait_up_to_half_a_minute(
    failures: int, least: float, most: float
) -> None:
    assert reconnect_delay(failures, 0) == timedelta(seconds=least)
    assert reconnect_delay(failures, 1) == timedelta(seconds=most)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_no_wait_is_shorter_than_half_a_second_or_longer_than_half_a_minute(
    failures: int, chance: float
) -> None:
    wait = reconnect_delay(failures, chance)

    assert timedelta(seconds=0.5) <= wait <= timedelta(seconds=30)


def test_clients_do_not_come_all_at_once() -> None:
    waits = {reconnect_delay(1) for _ in range(100)}

    assert len(waits) > 50


async def test_a_client_waits_as_long_as_it_is_told_between_its_tries(line: Line) -> None:
    failures: list[int] = []

    def counted(failed: int) -> timedelta:
        failures.append(failed)
        return timedelta(milliseconds=1)

    async with GatewayClient(line.url, token=KEY, reconnect_delay=counted) as client:
        demo = client.queue("demo")
        await demo.counts()
        for cuts in range(1, 4):
            line.cut()
            await until(lambda: line.opened == cuts + 1, message="it is back")  # noqa: B023 - now
            await demo.counts()

    assert failures == [1, 2, 3]  # each lasted a moment only: the waits grow


async def test_by_itself_a_client_is_back_after_half_a_second_at_least(line: Line) -> None:
    async with GatewayClient(line.url, token=KEY) as client:
        demo = client.queue("demo")
        await demo.counts()
        began = anyio.current_time()
        line.cut()

        await demo.counts()
        waited = anyio.current_time() - began

    assert waited >= 0.5


@pytest.mark.parametrize(
    ("url", "channel"),
    [
        ("ws://gateway:8080", "ws://gateway:8080/queue/mail"),
        ("http://gateway:8080/", "ws://gateway:8080/queue/mail"),
        ("https://example.com/jobs", "wss://example.com/jobs/queue/mail"),
        ("ws://[::1]:8080", "ws://[::1]:8080/queue/mail"),
    ],
)
def test_a_gateway_is_named_as_it_is_reached(url: str, channel: str) -> None:
    assert Address(url, "k").url(path_of("mail")) == channel


@pytest.mark.parametrize(
    "url", ["gateway:8080", "redis://gateway", "ws://", "ws://h?token=k", "ws://u:p@h"]
)
def test_what_is_no_gateways_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(OptionsError, match="url") as refused:
        GatewayClient(url, token=KEY)

    assert "token=k" not in str(refused.value)


def test_names_and_what_is_asked_for_are_escaped() -> None:
    path = path_of("a b/{c}", "events", events="completed,failed", lastEventId=None)

    assert path == "/queue/a%20b%2F%7Bc%7D/events?events=completed%2Cfailed"


def test_the_token_is_in_no_url_and_no_repr() -> None:
    address = Address("ws://gateway", "s3cret")

    assert "s3cret" not in address.url(path_of("mail")) + repr(address)
    assert address.options == {"additional_headers": {"Authorization": "Bearer s3cret"}}


def test_a_client_is_imported_without_the_server() -> None:
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


async def test_a_lost_gateway_is_logged_where_the_program_logs(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_at(line.url) as client:
        demo = client.queue("demo")
        await demo.counts()
        line.cut()
        await demo.counts()

    (told,) = [one for one in caplog.records if one.name == "framework.gateway.client"]
    assert told.levelname == "WARNING"
    assert told.getMessage().startswith("gateway lost channel='queue demo' why='the connection")
    assert KEY not in caplog.text
