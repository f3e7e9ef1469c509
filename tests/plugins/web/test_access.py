"""Who may ask: nobody, everybody, whoever has a key, whoever the application lets in."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Security
from fastapi.security import APIKeyHeader, SecurityScopes
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse
from structlog.testing import capture_logs

from framework import DeclarationError, provider
from framework_web import Guard, Wish, wish_of
from tests.plugins.web.serving import resize, serving
from tests.support.apps import Open

PROBLEM = "application/problem+json"


def guarded(check: Any) -> Callable[[], Guard]:  # noqa: ANN401 - whatever a guard takes
    """What an application provides to be asked."""

    @provider
    def guard() -> Guard:
        return Guard(check)

    return guard


@pytest.fixture
def opened(open_app: Open) -> Callable[..., Any]:
    """Serve tasks to whom a check lets in."""

    def serve(check: Any, **how: Any) -> Any:  # noqa: ANN401 - as above
        app = open_app(resize, providers=(guarded(check),), plugins=("web",))
        return serving(app, work=False, **how)

    return serve


async def asked(web: httpx2.AsyncClient, **headers: str) -> tuple[int, str]:
    answer = await web.get("/tasks", headers=headers)
    assert answer.status_code == 200 or answer.headers["content-type"] == PROBLEM
    return answer.status_code, answer.json().get("detail", "")


async def by_header(request: Request) -> str | None:
    return request.headers.get("x-user")


def by_header_in_a_thread(request: Request) -> bool:
    return "x-user" in request.headers


class ByHeader:
    async def __call__(self, request: Request) -> bool:
        return "x-user" in request.headers


@pytest.mark.parametrize(
    "check",
    [by_header, by_header_in_a_thread, ByHeader(), partial(by_header)],
    ids=["async", "plain", "object", "partial"],
)
async def test_what_a_check_returns_decides(opened: Callable[..., Any], check: object) -> None:
    async with opened(check) as web:
        assert await asked(web) == (403, "You may not do this.")
        assert (await asked(web, **{"X-User": "ada"}))[0] == 200


async def test_a_check_may_answer_otherwise_in_words_of_its_own(
    opened: Callable[..., Any],
) -> None:
    async def refuse(_: Request) -> None:
        raise StarletteHTTPException(401, "Log in first.", {"WWW-Authenticate": "Cookie"})

    async with opened(refuse) as web:
        answer = await web.post("/tasks/resize", json={"width": 1})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Cookie")
    assert answer.json()["detail"] == "Log in first."


async def test_an_answer_that_a_check_returns_lets_nobody_in(opened: Callable[..., Any]) -> None:
    async def redirect(_: Request) -> RedirectResponse:
        return RedirectResponse("/login")

    with capture_logs() as logs:
        async with opened(redirect) as web:
            answer = await web.get("/tasks")

    assert answer.status_code == 500
    assert any("raise HTTPException" in str(one.get("exc_info")) for one in logs)


async def test_a_check_that_breaks_lets_nobody_in_and_tells_nothing(
    opened: Callable[..., Any],
) -> None:
    async def broken(_: Request) -> None:
        raise ValueError("the password of the database")

    with capture_logs() as logs:
        async with opened(broken) as web:
            answer = await web.get("/tasks")

    assert answer.status_code == 500
    assert "password" not in answer.text
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["request failed"]


async def test_a_check_knows_what_is_asked_for(opened: Callable[..., Any]) -> None:
    wishes: list[Wish] = []

    async def note(request: Request) -> bool:
        wishes.append(wish_of(request))
        return False

    async with opened(note) as web:
        await web.post("/tasks/resize", json={"width": 1})
        for method, path in (
            ("GET", "/tasks/resize/a%2Fb"),
            ("DELETE", "/tasks/resize/7"),
            ("GET", "/tasks/none/7/events"),
            ("POST", "/tasks/resize/7/retry"),
            ("GET", "/tasks?type=resize"),
            ("GET", "/events?types=resize"),
            ("GET", "/tasks/openapi.json"),
        ):
            await web.request(method, path)

    assert wishes == [
        Wish("start", "resize"),
        Wish("look", "resize", "a/b"),
        Wish("abort", "resize", "7"),
        Wish("follow", "none", "7"),
        Wish("retry", "resize", "7"),
        Wish("list", "resize"),
        Wish("follow"),
        Wish("describe"),
    ]


KEY_HEADER = APIKeyHeader(name="X-Session")
CLOSED: list[str] = []


async def session(key: Annotated[str, Depends(KEY_HEADER)]) -> Any:  # noqa: ANN401 - a generator
    try:
        yield {"s1": "ada"}.get(key)
    finally:
        CLOSED.append(key)


def user_of(
    scopes: SecurityScopes,
    request: Request,
    user: Annotated[str | None, Depends(session)],
    wish: Annotated[Wish, Depends(wish_of)],
    role: Annotated[str, Cookie()] = "reader",
) -> str:
    if user is None:
        raise HTTPException(401, f"no session for {wish.action}", {"WWW-Authenticate": "Session"})
    assert isinstance(request.app, FastAPI)
    if set(scopes.scopes) - {role}:
        raise HTTPException(403)
    return user


async def test_a_dependency_of_fastapi_decides(opened: Callable[..., Any]) -> None:
    CLOSED.clear()
    check = Security(user_of, scopes=["writer"])
    async with opened(check, make=FastAPI) as web:
        nobody = await web.get("/tasks")
        unknown = await web.get("/tasks", headers={"X-Session": "s9"})
        reader = await web.get("/tasks", headers={"X-Session": "s1"})
        headers = {"X-Session": "s1", "Cookie": "role=writer"}
        writer = await web.get("/tasks", headers=headers)

    assert nobody.status_code in {401, 403}
    assert (unknown.status_code, unknown.json()["detail"]) == (401, "no session for list")
    assert unknown.headers["www-authenticate"] == "Session"
    assert (reader.status_code, writer.status_code) == (403, 200)
    assert {one.headers["content-type"] for one in (nobody, unknown, reader)} == {PROBLEM}
    assert CLOSED == ["s9", "s1", "s1"]


async def test_a_dependency_that_misses_something_says_what(opened: Callable[..., Any]) -> None:
    def needs(x_user: Annotated[int, Header()]) -> bool:
        return x_user > 0

    async with opened(Depends(needs), make=FastAPI) as web:
        answer = await web.get("/tasks", headers={"X-User": "the secret of ada"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.x-user")
    assert "secret" not in answer.text


async def test_overrides_of_dependencies_reach_the_guard(opened: Callable[..., Any]) -> None:
    def make(**told: Any) -> FastAPI:  # noqa: ANN401 - what FastAPI takes
        api = FastAPI(**told)
        api.dependency_overrides[session] = lambda: "ada"
        return api

    async with opened(Depends(user_of), make=make) as web:
        assert (await web.get("/tasks")).status_code == 200


async def test_a_dependency_is_closed_before_a_stream_begins(opened: Callable[..., Any]) -> None:
    CLOSED.clear()
    async with opened(Depends(user_of), make=FastAPI) as web:
        headers = {"X-Session": "s1"}
        started = await web.post("/tasks/resize", json={"width": 1}, headers=headers)
        CLOSED.clear()
        async with web.stream("GET", started.json()["links"]["events"], headers=headers) as answer:
            assert answer.status_code == 200
            assert CLOSED == ["s1"]


async def test_a_guard_may_not_read_the_body(opened: Callable[..., Any]) -> None:
    async def reads(request: Request) -> bool:
        return bool(await request.body())

    with capture_logs() as logs:
        async with opened(Depends(reads), make=FastAPI) as web:
            answer = await web.post("/tasks/resize", json={"width": 1})

    assert answer.status_code == 500
    assert any("cannot read the body" in str(one.get("exc_info")) for one in logs)


async def test_keys_let_in_whom_a_guard_does_not_and_open_opens_neither(
    opened: Callable[..., Any], open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    monkeypatch.setenv("FRAMEWORK_WEB_KEYS", "the-key")
    async with opened(by_header) as web:
        assert (await asked(web))[0] == 403
        assert (await asked(web, Authorization="Bearer the-key"))[0] == 200
        assert (await asked(web, Authorization="bearer  the-key"))[0] == 200
        assert (await asked(web, Authorization="Basic the-key"))[0] == 403
    async with serving(open_app(resize, plugins=("web",)), work=False) as web:
        assert (await asked(web))[0] == 401


def test_what_cannot_be_asked_is_no_guard() -> None:
    with pytest.raises(DeclarationError, match=r"Guard\(7\): it cannot be asked"):
        Guard(7)  # type: ignore[arg-type]  # that is what is tested
