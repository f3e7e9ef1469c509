"""Watch tokens: one task, for a while, for whoever has them, and nothing else."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from framework import OptionsError, SettingsError, provider
from framework.app.application import Application
from framework_web import Guard, Tasks, wish_of
from framework_web.tokens import WatchTokens
from framework_web.web_settings import WebSettings
from tests.plugins.web.serving import events_of, resize, serving
from tests.support.apps import Open
from tests.support.builders import NOW
from tests.support.clock import StillClock

SECRET = "a secret of twenty letters"  # noqa: S105 - of these tests alone
OLD = "the secret of last year"


def tokens_of(secrets: str = SECRET, clock: StillClock | None = None) -> WatchTokens:
    return WatchTokens(WebSettings(web_secret=SecretStr(secrets)), clock or StillClock())


def test_a_token_holds_for_its_task_and_no_other() -> None:
    tokens = tokens_of()
    token = tokens.sign("resize", "7", may_abort=False).token

    assert tokens.expiry(token, "resize", "7", to_abort=False) == pytest.approx(24 * 3600, abs=1)
    for type, id in (("resize", "8"), ("crop", "7"), ("resize7", ""), ("res", "ize7")):
        assert tokens.expiry(token, type, id, to_abort=False) is None


def test_only_a_token_that_says_so_aborts() -> None:
    tokens = tokens_of()
    watch, abort = (tokens.sign("resize", "7", may_abort=one).token for one in (False, True))

    assert tokens.expiry(watch, "resize", "7", to_abort=True) is None
    assert tokens.expiry(abort, "resize", "7", to_abort=True) is not None
    assert tokens.expiry(abort, "resize", "7", to_abort=False) is not None
    assert tokens.expiry(f"abort{watch[5:]}", "resize", "7", to_abort=True) is None


def test_a_token_ends_and_cannot_be_made_to_last() -> None:
    clock = StillClock()
    tokens = tokens_of(clock=clock)
    signed = tokens.sign("resize", "7", may_abort=True, lifetime=timedelta(minutes=1))
    begin, _, mac = signed.token.rpartition(".")

    clock.advance(timedelta(seconds=59))
    assert tokens.expiry(signed.token, "resize", "7", to_abort=True) is not None
    clock.advance(timedelta(seconds=2))
    assert tokens.expiry(signed.token, "resize", "7", to_abort=True) is None
    longer = f"abort.{int(begin.split('.')[1]) + 3600}.{mac}"
    assert tokens.expiry(longer, "resize", "7", to_abort=True) is None
    assert signed.expires_at - datetime.fromtimestamp(NOW / 1000, UTC) <= timedelta(seconds=61)


def test_secrets_change_one_after_the_other() -> None:
    old = tokens_of(OLD).sign("resize", "7", may_abort=False).token
    both = tokens_of(f"{SECRET}, {OLD}")

    assert both.expiry(old, "resize", "7", to_abort=False) is not None
    new = both.sign("resize", "7", may_abort=False).token
    assert tokens_of(SECRET).expiry(new, "resize", "7", to_abort=False) is not None
    assert tokens_of(SECRET).expiry(old, "resize", "7", to_abort=False) is None


@pytest.mark.parametrize(
    "sent", ["", "watch", "watch.1.x", "ω.1." + "a" * 43, "watch.9." + "a" * 43]
)
def test_what_is_no_token_is_refused(sent: str) -> None:
    assert tokens_of().expiry(sent, "resize", "7", to_abort=False) is None


@pytest.fixture
def app(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> Application:
    monkeypatch.setenv("FRAMEWORK_WEB_SECRET", SECRET)
    monkeypatch.setenv("FRAMEWORK_WEB_KEYS", "the-key")
    return open_app(resize, plugins=("web",))


@pytest.fixture
async def web(app: Application) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(app, work=False) as client:
        yield client


WITH_KEY = {"Authorization": "Bearer the-key"}


async def begun(web: httpx2.AsyncClient, **headers: str) -> dict[str, str]:
    answer = await web.post("/tasks/resize", json={"width": 5}, headers={**WITH_KEY, **headers})
    told = answer.json()
    return {"token": told.get("token", ""), "at": told["links"]["self"], **told}


async def test_who_starts_a_task_gets_a_token_that_watches_and_aborts_it(
    web: httpx2.AsyncClient,
) -> None:
    mine, other = await begun(web), await begun(web)
    bearer = {"Authorization": f"Bearer {mine['token']}"}

    assert (await web.get(mine["at"], headers=bearer)).status_code == 200
    assert (await web.get(f"{mine['at']}?token={mine['token']}")).status_code == 200
    for method, path in (
        ("GET", other["at"]),
        ("GET", f"{other['at']}/events"),
        ("DELETE", other["at"]),
        ("POST", f"{mine['at']}/pause"),
        ("GET", "/tasks"),
        ("GET", "/events?types=resize"),
        ("POST", "/tasks/resize"),
    ):
        refused = await web.request(method, path, headers=bearer)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (
            401,
            'Bearer error="invalid_token"',
        ), path
    assert (await web.delete(mine["at"], headers=bearer)).status_code == 202


async def test_a_browser_follows_by_a_token_in_the_address(
    app: Application, web: httpx2.AsyncClient
) -> None:
    tasks = await app.get(Tasks)
    task_id = await tasks.add("resize", {"width": 5}, job_id="a/b ö")
    signed = tasks.watch_token(task_id)

    path = "/tasks/resize/a%2Fb%20%C3%B6"
    async with web.stream("GET", f"{path}/events", params={"token": signed.token}) as answer:
        assert answer.status_code == 200
        assert (await anext(events_of(answer))).data["id"] == "a/b ö"
    bearer = {"Authorization": f"Bearer {signed.token}"}
    assert (await web.delete(path, headers=bearer)).status_code == 401


async def test_a_stream_ends_with_its_token(app: Application, web: httpx2.AsyncClient) -> None:
    tasks = await app.get(Tasks)
    task_id = await tasks.add("resize", {"width": 5})
    signed = tasks.watch_token(task_id, lifetime=timedelta(seconds=2))

    path = f"/tasks/resize/{task_id}/events?token={signed.token}"
    with anyio.fail_after(8):
        async with web.stream("GET", path) as answer:
            names = [event.name async for event in events_of(answer)]

    assert names == ["snapshot"]
    assert (await web.get(path)).status_code == 401


async def test_an_id_of_the_clients_choice_gives_no_token_of_somebody_elses_task(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_SECRET", SECRET)

    @provider
    def guard() -> Guard:
        return Guard(lambda request: wish_of(request).action == "start")

    app = open_app(resize, providers=(guard,), plugins=("web",))
    async with serving(app, work=False) as web:
        chosen = {"Idempotency-Key": "order-7"}
        answers = [
            (await web.post("/tasks/resize", json={"width": 5}, headers=headers)).json()
            for headers in ({}, chosen, chosen)
        ]

    assert ["token" in one for one in answers] == [True, False, False]


async def test_without_a_secret_there_are_no_tokens(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_KEYS", "the-key")
    app = open_app(resize, plugins=("web",))
    async with serving(app, work=False) as web:
        assert (await begun(web))["token"] == ""
        tasks = await app.get(Tasks)
        with pytest.raises(SettingsError, match="FRAMEWORK_WEB_SECRET"):
            tasks.watch_token("7", type="resize")
        with pytest.raises(OptionsError, match="which type"):
            tasks.watch_token("7")


async def test_no_log_of_requests_shows_a_token(
    app: Application, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="uvicorn.access")
    async with serving(app, work=False, access_log=True) as web:
        mine = await begun(web)
        await web.get(f"{mine['at']}?x=1&token={mine['token']}&y=2")
        await web.get(f"{mine['at']}/events?token={mine['token'][:-1]}B")

    assert "x=1&token=hidden&y=2" in caplog.text
    assert mine["token"][-20:-1] not in caplog.text
