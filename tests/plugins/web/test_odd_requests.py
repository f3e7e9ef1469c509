"""Requests that nobody sends by accident: each gets an answer that says what is wrong."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import pytest
from structlog.testing import capture_logs

from framework import Job
from framework.app.application import Application
from framework_web import task
from tests.plugins.web.raw import answer_to, line_to, posting
from tests.plugins.web.serving import serving
from tests.support.apps import Open
from tests.support.until import until

PROBLEM = b"content-type: application/problem+json"


@task("anything")
async def anything(job: Job[Any]) -> object:
    return job.data


@task("number")
async def number(job: Job[float]) -> float:
    return job.data


@pytest.fixture
def app(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> Application:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    return open_app(anything, number, plugins=("web",))


@pytest.fixture
async def web(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(app, work=False) as client:
        yield client


def status_of(answer: bytes) -> int:
    assert answer[12:13] == b" ", answer
    assert PROBLEM in answer or answer[9:10] == b"2", answer
    return int(answer[9:12])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'"\\ud800"', 400),
        (b"NaN", 400),
        (b"[-Infinity]", 400),
        (b'["Infinity and NaN"]', 202),
        (b"[" * 100_000, 400),
        (b"1" * 6000, 400),
        (b'"\xff"', 400),
        (b'"a\\u0000b"', 202),
        (b"{}" + b" " * 1_048_577, 413),
    ],
    ids=["surrogate", "nan", "infinity", "words", "nested", "digits", "latin", "nul", "large"],
)
async def test_odd_bodies(web: httpx2.AsyncClient, body: bytes, status: int) -> None:
    assert status_of(await answer_to(web, posting(body))) == status


async def test_a_number_that_is_too_large_is_the_callers_mistake(web: httpx2.AsyncClient) -> None:
    assert status_of(await answer_to(web, posting(b"1e999", path=b"/tasks/number"))) == 422


async def test_a_body_that_is_announced_as_too_large_is_not_awaited(
    web: httpx2.AsyncClient,
) -> None:
    request = posting(b"").replace(b"Content-Length: 0", b"Content-Length: 99999999999")

    assert status_of(await answer_to(web, request, until=b"}")) == 413


async def test_a_body_that_does_not_come_is_not_awaited_for_ever(
    web: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("framework_web.starting.BODY_SECONDS", 0.05)
    request = posting(b"12345").removesuffix(b"2345")

    assert status_of(await answer_to(web, request, until=b"}")) == 408


async def test_a_client_that_leaves_while_it_sends_is_no_error(web: httpx2.AsyncClient) -> None:
    with capture_logs() as logs:
        async with line_to(web) as line:
            await line.send(posting(b"12345").removesuffix(b"2345"))
        await web.get("/tasks")

    assert [one for one in logs if one["log_level"] == "error"] == []


@pytest.mark.parametrize(
    "task_id", ["a/b", "a/b/events", "%2F", "100%", "ä ö", "a?b#c", "{x}", "x" * 400, "retry"]
)
async def test_odd_ids_can_be_asked_for_by_the_links_that_are_given(
    app: Application, web: httpx2.AsyncClient, task_id: str
) -> None:
    key = {b"Idempotency-Key": task_id.encode()}
    started = await web.post("/tasks/anything", json=1, headers=key)

    assert (started.status_code, started.json()["id"]) == (202, task_id)
    links = started.json()["links"]
    assert (await web.get(links["self"])).json()["id"] == task_id
    async with web.stream("GET", links["events"]) as answer:
        assert answer.status_code == 200
    assert (await web.post(f"{links['self']}/pause")).json() == {"id": task_id, "effect": "done"}
    assert (await web.delete(links["abort"])).status_code == 202


async def test_an_id_with_a_line_in_it_is_looked_for_too(
    app: Application, web: httpx2.AsyncClient
) -> None:
    answer = await web.get("/tasks/anything/a%0Ab")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("key", [b"\xff", b"..", b".", b"a\tb"])
async def test_keys_that_no_path_can_hold_are_refused(web: httpx2.AsyncClient, key: bytes) -> None:
    assert status_of(await answer_to(web, posting(b"1", b"Idempotency-Key: " + key))) == 422


@pytest.mark.parametrize("last", ["9999999999999999999-0", "9" * 400, "ÿ", "1-0.99999999999"])
async def test_who_comes_back_with_an_odd_id_sees_the_task_anew(
    web: httpx2.AsyncClient, last: str
) -> None:
    at = (await web.post("/tasks/anything", json=1)).headers["location"]
    request = f"GET {at}/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {last}\r\n\r\n"

    assert b"event: snapshot" in await answer_to(
        web, request.encode("latin-1"), until=b"event: snapshot"
    )


async def test_all_updates_are_heard_behind_an_id_that_redis_never_gave(
    web: httpx2.AsyncClient,
) -> None:
    last = {"Last-Event-ID": "9999999999999999999-0,9999999999999999999-0"}
    async with web.stream("GET", "/events", headers=last) as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        async with anyio.create_task_group() as tasks:

            async def start() -> None:
                while True:
                    await web.post("/tasks/anything", json=1)
                    await anyio.sleep(0.05)

            tasks.start_soon(start)
            with anyio.fail_after(8):
                while not (await anext(lines)).startswith("event: state"):
                    pass
            tasks.cancel_scope.cancel()


async def test_http_1_0_gets_a_stream_that_ends_with_the_line(app: Application) -> None:
    async with serving(app) as web:
        at = (await web.post("/tasks/anything", json={"a": 1})).headers["location"]

        async def is_done() -> bool:
            return bool((await web.get(at)).json()["state"] == "completed")

        await until(is_done, message="it is done")
        answer = await answer_to(web, f"GET {at}/events HTTP/1.0\r\n\r\n".encode())

    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body.startswith(b"retry: 2000\n\nid: ")
    snapshot = json.loads(body.split(b"data: ")[1].split(b"\n")[0])
    assert snapshot["result"] == {"a": 1}


async def test_every_path_tells_its_methods_and_answers_head_without_a_body(
    web: httpx2.AsyncClient,
) -> None:
    at = (await web.post("/tasks/anything", json=1)).headers["location"]
    allowed = {
        "/tasks": {"GET", "HEAD"},
        "/tasks/anything": {"POST"},
        at: {"GET", "HEAD", "DELETE"},
        f"{at}/events": {"GET", "HEAD"},
        f"{at}/retry": {"POST"},
        "/events": {"GET", "HEAD"},
    }
    for path, methods in allowed.items():
        for method in ("OPTIONS", "PUT", "BREW"):
            answer = await web.request(method, path)
            assert answer.status_code == 405
            assert answer.headers["content-type"] == "application/problem+json"
            assert set(answer.headers["allow"].split(", ")) == methods
        if "GET" in methods:
            head = await web.head(path)
            assert (head.status_code, head.content) == (200, b"")


async def test_proxies_are_told_to_hold_no_stream_back(web: httpx2.AsyncClient) -> None:
    at = (await web.post("/tasks/anything", json=1)).headers["location"]
    async with web.stream("GET", f"{at}/events") as answer:
        assert answer.headers["x-accel-buffering"] == "no"
        assert answer.headers["cache-control"] == "no-store"
