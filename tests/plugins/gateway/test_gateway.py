"""Starting and closing a gateway, what it keeps, and what it tells."""

import httpx2
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from framework import RedisUnavailableError, Settings
from framework_gateway import Gateway, GatewaySettings, Token, start_gateway
from tests.plugins.gateway.clients import client
from tests.plugins.gateway.conftest import Start
from tests.support.apps import settings_of


async def test_a_gateway_says_what_it_is_to_anybody(start: Start) -> None:
    gateway = await start()

    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}") as http:
        banner = await http.get("/")
        health = await http.get("/health")
        unknown = await http.get("/nothing")
        status = await http.get("/status")

    assert banner.status_code == 200
    assert health.json() == {"status": "ok", "redis": "ok"}
    assert (unknown.status_code, unknown.text) == (404, "Not Found")
    assert (status.status_code, status.text) == (401, "Unauthorized")


async def test_the_start_is_told_with_prefix_and_redis(redis_url: str, prefix: str) -> None:
    with capture_logs() as logs:
        async with await start_gateway(settings_of(redis_url, prefix), [], port=0) as gateway:
            pass

    told = [one["event"] for one in logs]
    (listens,) = [one for one in logs if one["event"] == "gateway listens"]
    assert (listens["port"], listens["prefix"]) == (gateway.port, prefix)
    assert listens["redis"]
    assert "nobody may enter: set AUTH_TOKENS" in told


async def test_a_url_says_where_redis_is(redis_url: str) -> None:
    settings = GatewaySettings(queue_prefix="t-gateway")
    async with (
        await start_gateway(redis_url, ["k"], port=0, settings=settings) as gateway,
        client(gateway, "/queue/demo", key="k") as asks,
    ):
        assert await asks.ok("count") == 0


async def test_a_gateway_without_redis_does_not_start(prefix: str) -> None:
    away = Settings(redis_url=SecretStr("redis://127.0.0.1:1"), prefix=prefix, start_timeout="0.2")

    with pytest.raises(RedisUnavailableError):
        await start_gateway(away, ["k"], port=0)


async def test_a_port_that_is_taken_is_told(gateway: Gateway, redis_url: str, prefix: str) -> None:
    with pytest.raises(OSError, match="in use"):
        await start_gateway(settings_of(redis_url, prefix), ["k"], port=gateway.port)


async def test_it_is_closed_once_and_in_any_task(gateway: Gateway) -> None:
    await gateway.close()
    await gateway.close()


async def test_no_more_queues_are_kept_than_the_setting_says(start: Start) -> None:
    gateway = await start(queue_cache_size=3)

    async with client(gateway, "/queue/stays") as stays:
        for number in range(10):
            async with client(gateway, f"/queue/demo{number}") as asks:
                await asks.ok("count")

        kept = list(vars(gateway.hub)["_open"])
        assert await stays.ok("count") == 0

    assert len(kept) == 3
    assert "stays" in kept
    assert "demo9" in kept


async def test_the_status_tells_what_a_token_may_see(start: Start, prefix: str) -> None:
    gateway = await start("all", Token(SecretStr("some"), queues=("mail",)))
    worker = {"queue": "calls", "endpoint": {"url": "http://127.0.0.1:9/x?y=1", "method": "POST"}}

    async with (
        client(gateway, "/queue/mail", key="all"),
        client(gateway, "/queue/demo/events", key="all"),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}") as http,
    ):
        everything = {"Authorization": "Bearer all"}
        await http.post("/workers", json=worker, headers=everything)
        told = (await http.get("/status", headers=everything)).json()
        some = (await http.get("/status", headers={"Authorization": "Bearer some"})).json()

    assert told["prefix"] == prefix
    seen = [(one["channel"], one["queue"]) for one in told["connections"]]
    assert seen == [("queue", "mail"), ("events", "demo")]
    assert told["callbacks"] == [
        {"queue": "calls", "url": "http://127.0.0.1:9/x", "concurrency": 1, "running": 0}
    ]
    assert [one["queue"] for one in some["connections"]] == ["mail"]
    assert some["callbacks"] == []
