"""An application inside a web app, on a real server."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Request
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import Lifespan

from framework import (
    Application,
    DeclarationError,
    DependencyError,
    Producer,
    RouteError,
    Settings,
)
from framework.asgi import inject, lifespan
from tests.integration.asgi import astray, astray_by_default, shop
from tests.integration.asgi.shop import Reminder

Reminders = Annotated[Producer[Reminder], Depends(inject(Producer[Reminder]))]


@pytest.fixture(autouse=True)
def environment(redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_REDIS_URL", redis_url)
    monkeypatch.setenv("FRAMEWORK_PREFIX", prefix)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(shop.api) as client:
        yield client


def app_with(ours: Lifespan[FastAPI] | None) -> FastAPI:
    """An app with one endpoint, and this lifespan."""
    api = FastAPI(lifespan=ours)

    @api.get("/queue")
    async def show(reminders: Reminders) -> str:
        return reminders.queue

    return api


def test_an_endpoint_adds_a_job_through_its_producer(client: TestClient) -> None:
    answer = client.post("/reminders", json={"text": "Water the fern."})

    assert answer.status_code == 202
    assert answer.json() == {"job_id": "1"}
    assert client.get("/counts").json() == {"delayed": 1}


def test_a_plain_endpoint_adds_through_a_synchronous_producer(client: TestClient) -> None:
    assert client.post("/now", json={"text": "Water the fern."}).json() == "1"
    assert client.get("/counts").json() == {"waiting": 1}


def test_an_endpoint_gets_the_settings(client: TestClient, prefix: str) -> None:
    assert client.get("/prefix").json() == prefix


@pytest.mark.parametrize(
    ("path", "answer"),
    [("/routed/desk", "reminders"), ("/part/desk", "reminder"), ("/plain", "reminders")],
)
def test_routers_mounted_apps_and_plain_routes_inject_too(
    client: TestClient, path: str, answer: str
) -> None:
    assert client.get(path).json() == answer


def test_a_websocket_injects_too(client: TestClient) -> None:
    with client.websocket_connect("/socket") as socket:
        assert socket.receive_text() == "reminders"


def test_an_app_starts_again_after_it_ended() -> None:
    for _ in range(2):
        with TestClient(shop.api) as client:
            assert client.get("/counts").json() == {}


def test_an_app_starts_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_REDIS_URL", "unix:///nowhere/redis.sock")

    with TestClient(shop.api) as client:
        assert client.get("/routed/desk").json() == "reminders"


def test_settings_go_before_the_environment(redis_url: str) -> None:
    settings = Settings(redis_url=SecretStr(redis_url), prefix="own")
    api = FastAPI(lifespan=lifespan(shop.__name__, settings=settings))
    api.add_api_route("/prefix", shop.show_prefix)

    with TestClient(api) as client:
        assert client.get("/prefix").json() == "own"


def test_a_lifespan_of_ones_own_enters_ours() -> None:
    @asynccontextmanager
    async def own(app: Starlette) -> AsyncIterator[dict[str, object]]:
        async with lifespan(shop.__name__)(app) as state:
            yield {**state, "more": 1}

    with TestClient(app_with(own)) as client:
        assert client.get("/queue").json() == "reminders"


def test_the_application_itself_is_in_the_state() -> None:
    api = FastAPI(lifespan=lifespan(shop.__name__))

    with TestClient(api) as client:
        assert isinstance(client.app_state["framework"], Application)


def test_an_app_without_our_lifespan_says_what_to_write() -> None:
    with TestClient(app_with(None)) as client, pytest.raises(DependencyError) as caught:
        client.get("/queue")

    text = str(caught.value)
    assert "test_asgi.py:" in text
    assert "inject(Producer[Reminder]) found no application" in text
    assert 'FastAPI(lifespan=lifespan("shop"))' in text


def test_an_app_that_was_not_started_says_how_to_start_it() -> None:
    client = TestClient(shop.api)

    with pytest.raises(DependencyError, match="with TestClient"):
        client.get("/counts")


@pytest.mark.parametrize(
    ("api", "error", "place", "problem"),
    [
        (astray.api, RouteError, "astray.py:20", "no queue takes Invoice"),
        (
            astray_by_default.api,
            DependencyError,
            "astray_by_default.py:15",
            "inject(Printer): no provider for tests.integration.asgi.astray_by_default.Printer",
        ),
    ],
)
def test_what_cannot_be_injected_stops_the_start(
    api: FastAPI, error: type[DeclarationError], place: str, problem: str
) -> None:
    with pytest.raises(error) as caught, TestClient(api):
        pass

    assert place in str(caught.value)
    assert problem in str(caught.value)


def test_an_endpoint_can_tell_how_its_application_does() -> None:
    api = app_with(lifespan("tests.integration.asgi.shop"))

    @api.get("/healthz")
    async def show(request: Request) -> dict[str, object]:
        health = await request.state.framework.health()
        return {"ready": health.is_ready, "phase": health.phase, "queues": len(health.queues)}

    with TestClient(api) as client:
        told = client.get("/healthz").json()

    assert told == {"ready": True, "phase": "open", "queues": 0}


def test_an_endpoint_is_told_that_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_REDIS_URL", "redis://127.0.0.1:1")
    api = app_with(lifespan("tests.integration.asgi.shop"))

    @api.get("/healthz")
    async def show(request: Request) -> list[str]:
        return list((await request.state.framework.health()).problems)

    with TestClient(api) as client:
        (problem,) = client.get("/healthz").json()

    assert problem.startswith("cannot reach redis at 127.0.0.1:1")


def test_an_app_that_works_runs_its_jobs_and_tells_of_its_queues() -> None:
    api = app_with(lifespan("tests.integration.asgi.shop", work=True))

    @api.post("/remind")
    async def remind(reminders: Reminders) -> object:
        job = await reminders.add(Reminder(text="buy milk"))
        return await reminders.result(job, timeout=timedelta(seconds=5))

    @api.get("/healthz")
    async def show(request: Request) -> tuple[str, list[str]]:
        health = await request.state.framework.health()
        return health.phase, [one.queue for one in health.queues]

    with TestClient(api) as client:
        result, told = client.post("/remind"), client.get("/healthz").json()

    assert result.json() == "buy milk"
    assert told == ["working", ["reminders"]]
