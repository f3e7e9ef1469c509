"""Starting, reading and steering tasks over HTTP."""

from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx2
import pytest

from tests.plugins.web.serving import resize, serving
from tests.support.apps import Open
from tests.support.until import until

JSON = "application/json"
PROBLEM = "application/problem+json"


@pytest.fixture
async def web(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx2.AsyncClient]:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    async with serving(open_app(resize, plugins=("web",))) as client:
        yield client


async def in_state(web: httpx2.AsyncClient, at: str, state: str) -> dict[str, object] | None:
    found = (await web.get(at)).json()
    return found if found["state"] == state else None


async def test_a_task_is_started_and_read_until_it_is_done(web: httpx2.AsyncClient) -> None:
    answer = await web.post("/tasks/resize", json={"width": 5})

    assert answer.status_code == 202
    started = answer.json()
    at = f"/tasks/resize/{started['id']}"
    assert started == {
        "id": started["id"],
        "type": "resize",
        "links": {"self": at, "events": f"{at}/events", "abort": at},
    }
    assert answer.headers["location"] == at
    found = await until(lambda: in_state(web, at, "completed"), message="it is done")
    assert found["result"] == {"width": 5}
    assert found["progress"] == {"percentage": 80, "message": "nearly"}
    assert found["error"] is None
    assert found["attempts_made"] == 1
    assert None not in {found["added_at"], found["started_at"], found["finished_at"]}
    assert found["due_at"] is None


async def test_a_failed_task_says_why_and_runs_again(web: httpx2.AsyncClient) -> None:
    at = (await web.post("/tasks/resize", json={"width": 5, "name": "broken"})).headers["location"]
    found = await until(lambda: in_state(web, at, "failed"), message="it has failed")
    assert (found["error"], found["result"]) == ("no picture", None)

    again = await web.post(f"{at}/retry")
    assert again.status_code == 202
    found = await until(lambda: in_state(web, at, "failed"), message="it has failed again")
    assert found["attempts_made"] == 1


async def test_one_key_starts_one_task(web: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": "order-7"}
    answers = [await web.post("/tasks/resize", json={"width": 5}, headers=key) for _ in range(3)]

    assert [one.json()["id"] for one in answers] == ["order-7"] * 3
    listed = await web.get("/tasks?type=resize&state=completed")
    assert len(listed.json()["tasks"]) <= 1


@pytest.mark.parametrize("key", ["12", "a:b", "wait", "", "x" * 600])
async def test_a_key_that_can_be_no_id_is_refused(web: httpx2.AsyncClient, key: str) -> None:
    headers = {"Idempotency-Key": key}
    answer = await web.post("/tasks/resize", json={"width": 5}, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_a_task_is_aborted_wherever_it_is(web: httpx2.AsyncClient) -> None:
    at = (await web.post("/tasks/resize", json={"width": 5, "gate": "never"})).headers["location"]
    await until(lambda: in_state(web, at, "active"), message="it runs")

    answer = await web.delete(at)

    assert (answer.status_code, answer.json()["effect"]) == (202, "asked")
    found = await until(lambda: in_state(web, at, "failed"), message="it was aborted")
    assert found["error"] == "cancelled: aborted"
    assert (await web.delete(at)).status_code == 409


async def test_a_task_is_paused_and_resumed(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        at = (await web.post("/tasks/resize", json={"width": 5})).headers["location"]
        assert (await web.get(at)).json()["state"] == "waiting"
        assert (await web.post(f"{at}/pause")).json()["effect"] == "done"
        assert (await web.get(at)).json()["state"] == "paused"
        (held,) = (await web.get("/tasks?type=resize&state=delayed")).json()["tasks"]
        assert held["state"] == "paused"
        told = (await web.get("/tasks?type=resize&state=paused")).json()["errors"]
        assert "delayed" in told[0]["message"]
        assert (await web.post(f"{at}/resume")).status_code == 202
        assert (await web.get(at)).json()["state"] == "waiting"
        assert (await web.post(f"{at}/resume")).status_code == 409
        assert (await web.post(f"{at}/retry")).status_code == 409


async def test_what_does_not_fit_names_the_field_and_not_its_value(web: httpx2.AsyncClient) -> None:
    answer = await web.post("/tasks/resize", json={"width": -31337, "name": 8})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json() == {
        "type": "about:blank",
        "title": HTTPStatus.UNPROCESSABLE_ENTITY.phrase,
        "status": 422,
        "detail": "The body does not fit: width, name.",
        "errors": [
            {"field": "width", "message": "Input should be greater than 0"},
            {"field": "name", "message": "Input should be a valid string"},
        ],
    }


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("POST", "/tasks/nothing", b"{}", JSON, 404),
        ("POST", "/tasks/resize", b"{", JSON, 400),
        ("POST", "/tasks/resize", b"", JSON, 400),
        ("POST", "/tasks/resize", b'{"width": 5}', "text/plain", 415),
        ("POST", "/tasks/resize", b'"' + b"x" * 1024 * 1024 + b'"', JSON, 413),
        ("GET", "/tasks/resize/nothing", b"", JSON, 404),
        ("GET", "/tasks/resize/wait", b"", JSON, 404),
        ("GET", "/tasks/nothing/1", b"", JSON, 404),
        ("GET", "/tasks/resize/nothing/events", b"", JSON, 404),
        ("GET", "/tasks/resize/meta/events", b"", JSON, 404),
        ("GET", "/tasks/resize/a/b/c", b"", JSON, 404),
        ("DELETE", "/tasks/resize/nothing", b"", JSON, 404),
        ("PUT", "/tasks/resize/nothing", b"", JSON, 405),
        ("GET", "/events?types=nothing", b"", JSON, 404),
        ("GET", "/tasks?type=resize&state=odd", b"", JSON, 422),
        ("GET", "/tasks?type=resize&limit=-1", b"", JSON, 422),
        ("GET", "/tasks?type=resize&offset=99999999999999999999", b"", JSON, 422),
    ],
)
async def test_every_refusal_is_a_problem_document(
    web: httpx2.AsyncClient, method: str, path: str, body: bytes, kind: str, status: int
) -> None:
    headers = {"Content-Type": kind}
    answer = await web.request(method, path, content=body, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    told = answer.json()
    assert told["status"] == status
    assert {"type", "title", "detail"} <= set(told)


async def test_tasks_are_counted_and_listed_in_pages(web: httpx2.AsyncClient) -> None:
    for _ in range(5):
        await web.post("/tasks/resize", json={"width": 5})

    async def are_done() -> bool:
        (kind,) = (await web.get("/tasks")).json()["types"]
        assert (kind["type"], kind["queue"]) == ("resize", "pictures")
        return bool(kind["counts"]["completed"] == 5)

    await until(are_done, message="all are done")
    path, ids = "/tasks?type=resize&state=completed&limit=2", []
    while path:
        page = (await web.get(path)).json()
        ids += [task["id"] for task in page["tasks"]]
        assert all(task["state"] == "completed" for task in page["tasks"])
        path = page["next"]
    assert len(ids) == len(set(ids)) == 5


async def test_openapi_knows_the_payload_of_each_type(web: httpx2.AsyncClient) -> None:
    found = (await web.get("/tasks/openapi.json")).json()

    post = found["paths"]["/tasks/resize"]["post"]
    schema = post["requestBody"]["content"][JSON]["schema"]
    assert schema == {"$ref": "#/components/schemas/Resize"}
    assert found["components"]["schemas"]["Resize"]["properties"]["width"] == {
        "exclusiveMinimum": 0,
        "title": "Width",
        "type": "integer",
    }
    assert set(post["responses"]) >= {"202", "400", "422"}
    assert "/tasks/resize/{id}/events" in found["paths"]


async def test_nobody_may_ask_until_somebody_says_who(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FRAMEWORK_WEB_OPEN", raising=False)
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        answer = await web.post("/tasks/resize", json={"width": 5})
    assert (answer.status_code, answer.headers["content-type"]) == (403, PROBLEM)
    assert "FRAMEWORK_WEB_KEYS" in answer.json()["detail"]


async def test_who_has_a_key_may_ask(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_KEYS", "first, second")
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        for key, status in {"first": 200, "second": 200, "third": 401, "firs": 401}.items():
            headers = {"Authorization": f"Bearer {key}"}
            assert (await web.get("/tasks", headers=headers)).status_code == status
        refused = await web.get("/events")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:3000"}, 200),
        ({"Host": "elsewhere.example"}, 403),
        ({"Host": "[localhost"}, 403),
        ({"Host": "else_where.example"}, 403),
        ({"Host": "localhost@elsewhere.example"}, 403),
        ({"Host": "[::1]:3000"}, 200),
        ({"X-Forwarded-For": "192.0.2.7"}, 403),
    ],
)
async def test_where_local_requests_may_ask_none_that_others_have_a_hand_in_may(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], status: int
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "local")
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        assert (await web.get("/tasks", headers=headers)).status_code == status


async def test_where_local_requests_may_ask_keys_are_needed_if_there_are_any(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "local")
    monkeypatch.setenv("FRAMEWORK_WEB_KEYS", "first")
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        assert (await web.get("/tasks")).status_code == 401


async def test_no_other_site_may_read_or_start(web: httpx2.AsyncClient) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    asked = await web.request("OPTIONS", "/tasks/resize", headers=headers)
    read = await web.get("/tasks", headers=headers)
    sent = await web.post(
        "/tasks/resize", content=b'{"width": 5}', headers={"Content-Type": "text/plain"}
    )

    assert asked.status_code == 405
    assert not [name for name in (*asked.headers, *read.headers) if name.startswith("access-")]
    assert sent.status_code == 415
