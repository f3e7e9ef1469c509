"""Pages of other sites: kept out, but for those that the settings name."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from framework import SettingsError
from framework_web.web_settings import web_settings
from tests.plugins.web.serving import resize, serving
from tests.support.apps import Open

SHOP = "https://shop.example"
ELSEWHERE = "https://elsewhere.example"


@pytest.fixture
async def web(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx2.AsyncClient]:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    monkeypatch.setenv("FRAMEWORK_WEB_ORIGINS", f"{SHOP}, http://localhost:5173")
    async with serving(open_app(resize, plugins=("web",)), work=False) as client:
        yield client


async def test_a_named_site_may_ask_and_read(web: httpx2.AsyncClient) -> None:
    asked = await web.request(
        "OPTIONS",
        "/tasks/resize/7",
        headers={
            "Origin": SHOP,
            "Access-Control-Request-Method": "DELETE",
            "Access-Control-Request-Headers": "authorization,last-event-id",
        },
    )
    started = await web.post("/tasks/resize", json={"width": 5}, headers={"Origin": SHOP})
    missing = await web.get("/tasks/resize/none", headers={"Origin": SHOP})

    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert started.status_code == 202
    for answer in (started, missing):
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]


async def test_a_site_that_is_not_named_may_not(web: httpx2.AsyncClient) -> None:
    asked = await web.request(
        "OPTIONS",
        "/tasks/resize",
        headers={"Origin": ELSEWHERE, "Access-Control-Request-Method": "POST"},
    )
    read = await web.get("/tasks", headers={"Origin": ELSEWHERE})

    assert asked.status_code == 400
    assert "access-control-allow-origin" not in {*asked.headers, *read.headers}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 409),
        ({"Sec-Fetch-Site": "same-origin", "Origin": ELSEWHERE}, 409),
        ({"Sec-Fetch-Site": "none"}, 409),
        ({"Sec-Fetch-Site": "cross-site", "Origin": SHOP}, 409),
        ({"Origin": "OWN"}, 409),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:9"}, 403),
        ({"Origin": ELSEWHERE}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_what_a_form_of_another_site_sends_is_refused(
    web: httpx2.AsyncClient, headers: dict[str, str], status: int
) -> None:
    at = (await web.post("/tasks/resize", json={"width": 5})).headers["location"]
    own = str(web.base_url).rstrip("/")
    sent = {name: value.replace("OWN", own) for name, value in headers.items()}

    answer = await web.post(f"{at}/retry", headers=sent)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_answers_are_for_their_reader_alone(web: httpx2.AsyncClient) -> None:
    for path in ("/tasks", "/tasks/resize/none", "/tasks/openapi.json"):
        answer = await web.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ORIGINS", "*", "is no origin"),
        ("ORIGINS", "https://shop.example/page", "is no origin"),
        ("SECRET", "too short", "16 characters"),
        ("HEARTBEAT", "0", "greater than 0"),
        ("RATE_LIMIT", "many", "integer"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"FRAMEWORK_WEB_{name}", value)

    with pytest.raises(SettingsError, match=f"FRAMEWORK_WEB_{name}: .*{says}") as wrong:
        web_settings()

    assert name != "SECRET" or value not in str(wrong.value)
