"""Connections as URLs, dictionaries and clients of redis-py."""

import ssl
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis, Sentinel

from framework import OptionsError, RedisUnavailableError
from framework_bullmq import Queue, Worker
from framework_bullmq.connection import where_of
from tests.plugins.bullmq_api.bull import Bull
from tests.support.until import until

WORD = "p"
sentinels: Any = Sentinel  # redis-py says nothing of its types


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        (None, "redis://localhost:6379"),
        ("redis://host:7/2", "redis://host:7/2"),
        ({}, "redis://localhost:6379/0"),
        ({"host": "h", "port": 7, "db": 2, "decode_responses": True}, "redis://h:7/2"),
        ({"host": "::1", "username": "u", "password": "a/b"}, "redis://u:a%2Fb@[::1]:6379/0"),
        ({"unix_socket_path": "/run/r.sock", "db": 3}, "unix:///run/r.sock?db=3"),
        (
            {"host": "h", "ssl": True, "ssl_cert_reqs": ssl.CERT_NONE, "ssl_ca_certs": "/ca"},
            "rediss://h:6379/0?ssl_ca_certs=%2Fca&ssl_cert_reqs=none",
        ),
        (Redis(host="h", port=7, password=WORD, decode_responses=True), "redis://:p@h:7/0"),
        (Redis.from_url("rediss://u@h:7/1", ssl_check_hostname=False), "rediss://u:@h:7/1"),
        (
            sentinels([("a", 1), ("b", 2)]).master_for("mine", db=3, password=WORD),
            "redis+sentinel://:p@a:1,b:2/mine?db=3",
        ),
    ],
    ids=["none", "url", "empty", "dict", "login", "socket", "tls", "client", "tls client", "set"],
)
async def test_a_connection_says_where_redis_is(connection: Any, url: str) -> None:  # noqa: ANN401 - of any kind
    told = where_of(connection).url

    assert told.partition("?")[0] == url.partition("?")[0]
    assert urlsplit(url).query in told


async def test_how_long_a_call_may_wait_is_carried_over() -> None:
    assert where_of({"socket_timeout": 2.5}).timeout == timedelta(seconds=2.5)
    assert where_of(Redis(socket_timeout=2.5)).timeout is None


@pytest.mark.parametrize(
    ("connection", "text"),
    [
        ({"hots": "h"}, "did you mean host"),
        ({"retry": 5}, "what may be sent twice"),
        ({"max_connections": 5}, "its own"),
        ({"decode_responses": False}, "never bytes"),
        (Redis(credential_provider=object()), "username and password"),  # type: ignore[arg-type]  # any
    ],
)
async def test_what_the_engine_does_otherwise_is_refused(connection: Any, text: str) -> None:  # noqa: ANN401 - as above
    with pytest.raises(OptionsError, match=text):
        Queue("q", {"connection": connection})


async def test_a_client_stays_its_owners(bull: Bull) -> None:
    parts = urlsplit(bull.url)
    told: dict[str, Any] = (
        {"unix_socket_path": parts.path} if parts.scheme == "unix" else {"host": parts.hostname}
    )
    if parts.port:
        told["port"] = parts.port
    client = Redis(**told, decode_responses=True)
    queue = Queue("q", {"connection": client, "prefix": bull.prefix})

    await queue.add("n")
    await queue.close()

    assert await client.ping() is True
    assert await client.llen(f"{bull.prefix}:q:wait") == 1
    await client.aclose()


async def test_a_dictionary_and_a_url_of_one_place_share_it(bull: Bull) -> None:
    parts = urlsplit(bull.url)
    if parts.scheme == "unix":
        told: dict[str, Any] = {"unix_socket_path": parts.path}
    else:
        told = {"host": parts.hostname, "port": parts.port or 6379}
    queue = Queue("q", {"connection": told, "prefix": bull.prefix})

    await queue.add("n")

    assert await bull.queue().getWaitingCount() == 1
    await queue.close()


async def test_a_worker_without_redis_says_so_and_can_be_closed() -> None:
    errors: list[object] = []
    options = {"connection": {"host": "127.0.0.1", "port": 1}}
    worker = Worker("q", lambda job, token: None, options)
    worker.on("error", errors.append)

    await until(lambda: errors, timeout=30, message="it says so")
    await worker.close()

    assert isinstance(errors[0], RedisUnavailableError)
