"""How often a client may ask, and how much it may hold open."""

from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from framework_web.problems import ProblemError
from framework_web.rates import MOST_CLIENTS, Rates, Streams, client_of
from tests.plugins.web.serving import resize, serving
from tests.support.apps import Open
from tests.support.until import until


class Time:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def refusals(rates: Rates, client: str, count: int) -> Iterator[int]:
    """Yield for how many seconds a client is told to wait, each time that it is."""
    for _ in range(count):
        try:
            rates.take(client)
        except ProblemError as error:
            yield int(error.headers["Retry-After"])


def test_a_client_may_ask_so_often_a_minute_at_once_or_spread() -> None:
    time = Time()
    rates = Rates(60, time)

    with capture_logs() as logs:
        assert list(refusals(rates, "a", 62)) == [1, 1]
    assert list(refusals(rates, "b", 60)) == []
    time.now += 10
    assert len(list(refusals(rates, "a", 11))) == 1
    time.now += 60
    assert list(refusals(rates, "a", 60)) == []
    assert [(one["event"], one["client"]) for one in logs] == [("client asks too often", "a")]


def test_any_number_of_clients_costs_little() -> None:
    rates = Rates(60, Time())

    for number in range(MOST_CLIENTS + 500):
        rates.take(str(number))

    assert rates.clients == MOST_CLIENTS


def test_no_limit_remembers_nobody() -> None:
    rates = Rates(0, Time())

    assert list(refusals(rates, "a", 5000)) == []
    assert rates.clients == 0


def test_streams_are_counted_while_they_last() -> None:
    streams = Streams(1)

    with streams.counted("a"), streams.counted("b"):
        with pytest.raises(ProblemError) as refused, streams.counted("a"):
            pass
        assert refused.value.status == 429
    with streams.counted("a"):
        assert streams.clients == 1
    assert streams.clients == 0


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a:b", "a:b"),
        (None, "unknown"),
    ],
)
def test_a_client_is_an_address_or_a_network(host: str | None, client: str) -> None:
    address = None if host is None else (host, 1)
    request = Request({"type": "http", "headers": [], "client": address})

    assert client_of(request) == client


async def test_who_asks_too_often_is_told_when_to_come_back(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_KEYS", "the-key")
    monkeypatch.setenv("FRAMEWORK_WEB_RATE_LIMIT", "3")
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        answers = [await web.get(path) for path in ("/tasks", "/events", "/tasks/x/y/z", "/tasks")]

    assert [one.status_code for one in answers] == [401, 401, 404, 429]
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
    assert answers[-1].json()["detail"] == "More than 3 requests a minute."


async def test_streams_of_one_client_are_bounded(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    monkeypatch.setenv("FRAMEWORK_WEB_STREAM_LIMIT", "2")
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                answer = await stack.enter_async_context(web.stream("GET", "/events"))
                assert answer.status_code == 200
            assert (await web.get("/events")).status_code == 429

        async def is_let_in() -> bool:
            async with web.stream("GET", "/events") as answer:
                return answer.status_code == 200

        await until(is_let_in, message="the places are free again")
