"""Who may enter, which paths there are, and what holds for all answers of the HTTP API."""

import os
import signal
from datetime import timedelta

import httpx2
import pytest
from anyio import to_thread
from pydantic import SecretStr
from structlog.testing import capture_logs

from framework import Queue
from framework.server import EmbeddedServer
from framework_gateway import Channel, Gateway, GatewaySettings, Token, start_gateway
from tests.plugins.gateway.conftest import KEY, Start, client_of
from tests.support.apps import settings_of

JSON = "application/json"
PATHS = [
    ("GET", "/queues/demo"),
    ("DELETE", "/queues/demo"),
    ("GET", "/queues/demo/counts"),
    ("POST", "/queues/demo/pause"),
    ("POST", "/queues/demo/resume"),
    ("POST", "/queues/demo/drain"),
    ("POST", "/queues/demo/clean"),
    ("GET", "/queues/demo/events"),
    ("POST", "/queues/demo/jobs"),
    ("GET", "/queues/demo/jobs"),
    ("GET", "/queues/demo/jobs/1"),
    ("DELETE", "/queues/demo/jobs/1"),
    ("GET", "/queues/demo/jobs/1/state"),
    ("POST", "/queues/demo/jobs/1/retry"),
    ("POST", "/queues/demo/jobs/1/promote"),
    ("GET", "/queues/demo/jobs/1/logs"),
    ("POST", "/queues/demo/jobs/1/logs"),
    ("POST", "/queues/demo/jobs/1/progress"),
    ("POST", "/flows"),
    ("POST", "/workers"),
    ("GET", "/workers"),
    ("DELETE", "/workers/demo"),
]
LETS_IN = [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY}"]
REFUSES = [
    None, "", "Bearer", "Bearer wrong", KEY, f"XBearer {KEY}", f"Basic {KEY}",
    f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", f"Bearer {KEY} {KEY}",
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_without_a_token_nothing_is_possible(
    gateway: Gateway, queue: Queue, method: str, path: str
) -> None:
    await queue.add("n")
    base = f"http://127.0.0.1:{gateway.port}"
    async with httpx2.AsyncClient(base_url=base) as http:
        answers = [
            await http.request(method, path, content=b"{bad"),
            await http.request(method, path, params={"token": KEY}, content=b"[]"),
            await http.request(method, path, headers={"Authorization": "Bearer wrong"}),
        ]

    for answer in answers:
        assert (answer.status_code, answer.text) == (401, "Unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert [job.name for job in await queue.jobs("waiting")] == ["n"]
    assert not await queue.is_paused()


@pytest.mark.parametrize("header", LETS_IN)
async def test_the_scheme_may_be_written_in_any_letters(gateway: Gateway, header: str) -> None:
    async with client_of(gateway) as http:
        answer = await http.get("/workers", headers={"Authorization": header})

    assert answer.status_code == 200


@pytest.mark.parametrize("header", REFUSES)
async def test_any_other_header_is_refused(gateway: Gateway, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with httpx2.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{gateway.port}/workers", headers=headers)

    assert (answer.status_code, answer.text) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/queues/demo/jobs", "GET, POST"),
        ("DELETE", "/queues/demo/jobs", "GET, POST"),
        ("GET", "/queues/demo/jobs/1/progress", "POST"),
        ("PATCH", "/queues/demo/jobs/1", "DELETE, GET"),
        ("POST", "/", "GET"),
        ("POST", "/health", "GET"),
        ("GET", "/flows", "POST"),
        ("GET", "/workers/demo", "DELETE"),
        ("DELETE", "/workers", "GET, POST"),
    ],
)
async def test_another_method_is_told_which_there_are(
    http: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await http.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "path",
    [
        "/x", "/queues", "/queues//jobs", "/queues/demo/x", "/queues/demo/jobs/1/x", "/worker",
        "/queues/demo/jobs/1/logs/2", "/health/x", "/queues/de/mo/jobs",
    ],
)  # fmt: skip
async def test_an_unknown_path_is_not_found_whoever_asks(
    http: httpx2.AsyncClient, gateway: Gateway, path: str
) -> None:
    known = await http.get(path)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}") as stranger:
        unknown = await stranger.get(path)

    assert (known.status_code, known.text) == (404, "Not Found")
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ab", "queue name must be at least 3 characters long"),
        ("a" * 101, "queue name must be at most 100 characters long"),
        ("a:bc", "queue name cannot contain :"),
        ("a%3Abc", "queue name cannot contain :"),
        ("ab%zz", "queue name has a malformed percent escape"),
        ("abc%", "queue name has a malformed percent escape"),
        ("abc%ff", "queue name is not UTF-8"),
    ],
)
async def test_what_no_queue_can_be_called_is_refused(
    http: httpx2.AsyncClient, gateway: Gateway, name: str, words: str
) -> None:
    raw = f"http://127.0.0.1:{gateway.port}/queues/{name}/jobs"
    url = httpx2.URL(raw, raw_path=f"/queues/{name}/jobs".encode())

    answer = await http.get(url)

    assert (answer.status_code, answer.text) == (400, words)


@pytest.mark.parametrize(
    ("sent", "name"),
    [("ab%20cd", "ab cd"), ("%7Babc%7D", "{abc}"), ("a%2Fb", "a/b"), ("gr%C3%BC", "grü"),
     ("a%2520b", "a%20b"), ("a" * 100, "a" * 100)],
)  # fmt: skip
async def test_the_name_of_a_queue_is_decoded_once(
    http: httpx2.AsyncClient, prefix: str, sent: str, name: str
) -> None:
    answer = await http.post(f"/queues/{sent}/jobs", json=[{"name": "n", "data": 1}])

    assert answer.json()[0]["queueQualifiedName"] == f"{prefix}:{name}"
    assert (await http.get(f"/queues/{sent}")).json()["name"] == name


async def test_a_head_is_a_get_without_a_body(http: httpx2.AsyncClient) -> None:
    answer = await http.head("/queues/demo/jobs")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == JSON


async def test_anybody_may_see_who_it_is_and_how_it_does(gateway: Gateway) -> None:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}") as stranger:
        banner, health = await stranger.get("/"), await stranger.get("/health")

    assert banner.status_code == 200
    assert banner.headers["content-type"].startswith("text/plain")
    assert (health.status_code, health.json()) == (200, {"status": "ok", "redis": "ok"})


async def test_a_token_of_one_queue_opens_that_queue_alone(start: Start) -> None:
    mail = Token(SecretStr("mail"), queues=("mail-*",), channels=(Channel.HTTP,))
    gateway = await start(mail)
    child = {"name": "c", "queueName": "other"}
    async with client_of(gateway, "mail") as http:
        answers = {
            "own": await http.post("/queues/mail-1/jobs", json=[{"name": "n", "data": 1}]),
            "other": await http.post("/queues/other/jobs", json=[{"name": "n", "data": 1}]),
            "workers": await http.get("/workers"),
            "own flow": await http.post("/flows", json={"name": "p", "queueName": "mail-1"}),
            "flow": await http.post(
                "/flows", json={"name": "p", "queueName": "mail-1", "children": [child]}
            ),
        }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "own": 200,
        "other": 403,
        "workers": 403,
        "own flow": 200,
        "flow": 403,
    }


async def test_no_token_reaches_a_log(start: Start, queue: Queue) -> None:
    await queue.add("n")
    await queue.next_job("lock-secret")
    with capture_logs() as logs:
        gateway = await start("first-secret")
        for key in ("first-secret", "wrong-secret", "lock-secret"):
            async with client_of(gateway, key) as http:
                await http.post("/queues/demo/jobs", json=[{"name": "n", "data": "data-secret"}])
                await http.get("/queues/demo/jobs/1", params={"token": "query-secret"})
                await http.post("/queues/demo/jobs/1/progress", content="{bad-secret")
        await gateway.close()

    assert logs
    assert "secret" not in repr(logs)


async def test_while_redis_is_away_the_answer_is_503(
    private_server: EmbeddedServer, prefix: str
) -> None:
    address = await to_thread.run_sync(private_server.start)
    told = {"timeout": timedelta(seconds=0.3), "start_timeout": timedelta(seconds=0.3)}
    settings = settings_of(address.url, prefix, **told)
    gateway = await start_gateway(settings, [KEY], port=0, settings=GatewaySettings())
    async with gateway, client_of(gateway) as http:
        before = await http.get("/health")
        os.kill(address.pid, signal.SIGKILL)
        health = await http.get("/health")
        listed = await http.get("/queues/demo/jobs", headers={"Accept": JSON})
        workers = await http.get("/workers")
        added = await http.post("/queues/demo/jobs", json=[{"name": "n", "data": 1}])

    assert before.status_code == 200
    assert health.status_code == 503
    assert health.json() == {"status": "error", "redis": "unavailable"}
    assert listed.status_code == 503
    assert listed.json() == {"error": {"message": "Redis is unavailable", "code": "EREDIS"}}
    assert (workers.status_code, workers.text) == (503, "Redis is unavailable")
    assert added.status_code == 503
