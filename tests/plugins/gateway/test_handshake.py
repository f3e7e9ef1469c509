"""Who gets in: paths, tokens, names of queues, before anything is upgraded."""

import httpx2
import pytest
from pydantic import SecretStr

from framework import Queue
from framework_gateway import Channel, Gateway, GatewaySettings, Token
from framework_gateway.auth import tokens_of
from tests.plugins.gateway.clients import client, refused
from tests.plugins.gateway.conftest import KEY, Start

CHANNELS = ["", "/events", "/process/1"]
SPELLINGS = ["/queue/demo", "/queues/demo", "/ws/queues/demo"]


@pytest.mark.parametrize("path", [f"{one}{two}" for one in SPELLINGS for two in CHANNELS])
async def test_without_a_right_token_no_socket_opens(gateway: Gateway, path: str) -> None:
    assert await refused(gateway, path, key=None) == (401, "Unauthorized")
    assert await refused(gateway, path, key="wrong") == (401, "Unauthorized")
    assert await refused(gateway, path, key="") == (401, "Unauthorized")


@pytest.mark.parametrize("path", CHANNELS)
async def test_a_token_in_a_header_wins_over_the_query(gateway: Gateway, path: str) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    right = {"Authorization": f"bearer {KEY}"}

    assert await refused(gateway, f"/queue/demo{path}", additional_headers=wrong) == (
        401,
        "Unauthorized",
    )
    async with client(gateway, f"/queue/demo{path}", key="wrong", additional_headers=right):
        pass


@pytest.mark.parametrize("scheme", ["XBearer ", "Basic ", "Bearer", ""])
async def test_another_scheme_is_no_token(gateway: Gateway, scheme: str) -> None:
    headers = {"Authorization": f"{scheme}{KEY}"}

    assert await refused(gateway, "/queue/demo", key=None, additional_headers=headers) == (
        401,
        "Unauthorized",
    )


async def test_a_gateway_without_keys_lets_nobody_in(start: Start) -> None:
    gateway = await start(Token(SecretStr("")))

    assert await refused(gateway, "/queue/demo", key="") == (401, "Unauthorized")
    assert await refused(gateway, "/queue/demo", key=None) == (401, "Unauthorized")


async def test_a_refusal_says_how_to_enter(gateway: Gateway) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}") as http:
        answer = await http.get("/queue/demo", headers=upgrade)

    assert (answer.status_code, answer.text) == (401, "Unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path", ["/nothing", "/", "/queue", "/queue/demo/x", "/queue/demo/process", "/queues/demo/jobs"]
)
async def test_an_unknown_path_is_told_before_the_token(gateway: Gateway, path: str) -> None:
    assert await refused(gateway, path, key=None) == (404, "Not Found")


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ab", "queue name must be at least 3 characters long"),
        ("a" * 101, "queue name must be at most 100 characters long"),
        ("a%3Ab", "queue name cannot contain :"),
        ("ab%zz", "queue name has a malformed percent escape"),
        ("ab%", "queue name has a malformed percent escape"),
        ("ab%FF", "queue name is not UTF-8"),
    ],
)
async def test_a_name_no_queue_can_have_is_refused(
    gateway: Gateway, name: str, says: str, channel: str
) -> None:
    assert await refused(gateway, f"/queue/{name}{channel}") == (400, says)
    assert await refused(gateway, f"/queue/{name}{channel}", key=None) == (401, "Unauthorized")


async def test_the_length_of_names_is_a_setting(start: Start) -> None:
    gateway = await start(min_queue_name_length=5, max_queue_name_length=6)

    assert (await refused(gateway, "/queue/four"))[0] == 400
    assert (await refused(gateway, "/queue/sevenxx"))[0] == 400
    async with client(gateway, "/queue/fiver"):
        pass


@pytest.mark.parametrize(
    ("path", "name"), [("ab%20cd", "ab cd"), ("%7Babc%7D", "{abc}"), ("a%2Fb%C3%A9", "a/bé")]
)
async def test_a_name_is_decoded_once(gateway: Gateway, path: str, name: str) -> None:
    async with client(gateway, f"/queue/{path}") as asks:
        job = await asks.ok("add", "n", 1)

    assert job["queueQualifiedName"].endswith(f":{name}")


@pytest.mark.parametrize(
    "path", ["/queue/demo", "/ws/queues/demo/events", "/queues/demo/process/2"]
)
async def test_a_plain_request_is_told_to_upgrade(http: httpx2.AsyncClient, path: str) -> None:
    answer = await http.get(path)

    assert (answer.status_code, answer.text) == (426, "Upgrade Required")
    assert answer.headers["upgrade"] == "websocket"


async def test_another_method_on_a_socket_path_is_not_allowed(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/queue/demo")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("process/0", "Invalid concurrency 0, must be an integer from 1 to 1000"),
        ("process/-3", "Invalid concurrency -3, must be an integer from 1 to 1000"),
        ("process/abc", "Invalid concurrency abc, must be an integer from 1 to 1000"),
        ("process/1.5", "Invalid concurrency 1.5, must be an integer from 1 to 1000"),
        ("process/1001", "Invalid concurrency 1001, must be an integer from 1 to 1000"),
        ("process/%D9%A3", "Invalid concurrency ٣, must be an integer from 1 to 1000"),
        (
            "process/1?ackTimeout=-1",
            "Invalid ackTimeout -1, must be an integer from 0 to 86400000",
        ),
        ("process/1?ackTimeout=", "Invalid ackTimeout , must be an integer from 0 to 86400000"),
        ("process/1?jobTimeout=x", "Invalid jobTimeout x, must be an integer from 0 to 86400000"),
        (
            "process/1?lockDuration=1",
            "Invalid lockDuration 1, must be an integer from 1000 to 86400000",
        ),
        (
            "process/1?maxStalledCount=1e3",
            "Invalid maxStalledCount 1e3, must be an integer from 0 to 1000000",
        ),
        ("events?lastEventId=x", "Invalid lastEventId x"),
    ],
)
async def test_what_a_worker_or_listener_cannot_ask_for(
    gateway: Gateway, path: str, says: str
) -> None:
    assert await refused(gateway, f"/queue/demo/{path}") == (400, says)


async def test_a_refusal_is_json_for_who_asks_for_it(gateway: Gateway) -> None:
    headers = {"Accept": "application/json"}

    _, body = await refused(gateway, "/queue/ab", additional_headers=headers)

    assert body == (
        '{"error":{"message":"queue name must be at least 3 characters long","code":"EARGS"}}'
    )


@pytest.mark.parametrize(
    ("token", "open_paths", "closed_paths"),
    [
        (
            Token(SecretStr("s"), queues=("demo", "img-*")),
            ["/queue/demo", "/queue/img-1/process/1"],
            ["/queue/demos", "/queue/img", "/queue/other/events"],
        ),
        (
            Token(SecretStr("s"), channels=(Channel.EVENTS,)),
            ["/queue/any/events"],
            ["/queue/any", "/queue/any/process/1"],
        ),
    ],
)
async def test_a_token_opens_what_its_scope_says(
    start: Start, token: Token, open_paths: list[str], closed_paths: list[str]
) -> None:
    gateway = await start(token)

    for path in open_paths:
        async with client(gateway, path, key="s"):
            pass
    for path in closed_paths:
        assert await refused(gateway, path, key="s") == (403, "Forbidden")


async def test_a_revoked_token_is_closed_and_opens_nothing_more(start: Start) -> None:
    gateway = await start("one", "two")

    async with (
        client(gateway, "/queue/demo", key="one") as first,
        client(gateway, "/queue/demo", key="two") as second,
    ):
        assert gateway.revoke("one")

        assert await first.closed() == (4000, "invalid authentication")
        assert await second.ok("count") == 0
    assert await refused(gateway, "/queue/demo", key="one") == (401, "Unauthorized")
    assert not gateway.revoke("one")


def test_tokens_come_from_both_names_and_from_scopes() -> None:
    settings = GatewaySettings(
        auth_tokens=SecretStr(" a, b ,,"),
        auth_keys=SecretStr("c"),
        auth_scopes=SecretStr('[{"token":"d","queues":["mail"],"channels":["events"]}]'),
    )

    found = tokens_of(settings)

    assert [one.secret.get_secret_value() for one in found] == ["a", "b", "c", "d"]
    assert not found[3].may(Channel.QUEUE, "mail")
    assert "a" not in repr(found[0].secret)


async def test_all_channels_use_the_prefix_of_the_settings(
    start: Start, prefix: str, queue: Queue
) -> None:
    gateway = await start(queue_prefix=f"{prefix}other")

    async with client(gateway, "/queue/demo") as asks:
        job = await asks.ok("add", "n", 1)

    assert job["queueQualifiedName"] == f"{prefix}other:demo"
    assert await queue.job(job["id"]) is None
