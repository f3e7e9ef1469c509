"""Progress and logs of a job that somebody works: the token of its lock opens them."""

from datetime import timedelta

import httpx2
import pytest

from framework import Queue
from framework_gateway import Gateway
from tests.plugins.gateway.conftest import KEY, client_of
from tests.support.until import until

PROGRESS = "/queues/demo/jobs/1/progress"
LOGS = "/queues/demo/jobs/1/logs"
WRONG = ["wrong", KEY, "0", "mine2", "min"]


@pytest.fixture
async def held(queue: Queue) -> None:
    """One job, which the token ``mine`` holds."""
    await queue.add("n")
    assert await queue.next_job("mine") is not None


@pytest.mark.parametrize("body", ["50", "0", "0.5", "true", "false", '"half"', '{"pct":50}', "[1]"])
@pytest.mark.usefixtures("held")
async def test_any_json_but_null_is_progress_and_stored_as_it_is(
    gateway: Gateway, queue: Queue, body: str
) -> None:
    async with client_of(gateway, "mine") as mine:
        answer = await mine.post(PROGRESS, content=body)

    assert (answer.status_code, answer.text) == (200, "OK")
    async with client_of(gateway) as http:
        shown = await http.get("/queues/demo/jobs/1")
    assert f'"progress":{body},' in shown.text


@pytest.mark.usefixtures("held")
async def test_a_row_is_a_json_string_and_appended(gateway: Gateway, queue: Queue) -> None:
    async with client_of(gateway, "mine") as mine:
        answers = [await mine.post(LOGS, json=row) for row in ("one", "", "Grüße\n世界")]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "OK")] * 3
    assert await queue.logs("1") == ["one", "", "Grüße\n世界"]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (PROGRESS, "null", "Progress must not be null"),
        (LOGS, "5", "Log must be a string"),
        (LOGS, "null", "Log must be a string"),
        (LOGS, '{"log":"x"}', "Log must be a string"),
    ],
)
@pytest.mark.usefixtures("held")
async def test_what_is_neither_is_refused(
    gateway: Gateway, queue: Queue, path: str, body: str, words: str
) -> None:
    async with client_of(gateway, "mine") as mine:
        answer = await mine.post(path, content=body)
        broken = await mine.post(path, content="{bad")

    assert (answer.status_code, answer.text) == (400, words)
    assert broken.status_code == 400
    assert broken.text.startswith("Invalid JSON: ")
    assert await queue.logs("1") == []


@pytest.mark.parametrize("path", [PROGRESS, LOGS])
@pytest.mark.parametrize("token", WRONG)
@pytest.mark.usefixtures("held")
async def test_no_other_token_opens_them_the_gateways_own_least_of_all(
    gateway: Gateway, queue: Queue, path: str, token: str
) -> None:
    async with client_of(gateway, token) as http:
        answer = await http.post(path, content="{bad")

    assert (answer.status_code, answer.text) == (401, "Unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert await queue.logs("1") == []


@pytest.mark.parametrize(
    "path",
    [
        "/queues/demo/jobs/2/progress",
        "/queues/other/jobs/1/progress",
        "/queues/ab/jobs/1/progress",
        "/queues/a%zz/jobs/1/progress",
        "/queues/demo/jobs/wait/logs",
    ],
)
@pytest.mark.usefixtures("held")
async def test_the_token_opens_no_other_job(gateway: Gateway, path: str) -> None:
    async with client_of(gateway, "mine") as mine:
        answer = await mine.post(path, content="5")

    assert (answer.status_code, answer.text) == (401, "Unauthorized")


@pytest.mark.usefixtures("held")
async def test_the_token_opens_nothing_else(gateway: Gateway) -> None:
    async with client_of(gateway, "mine") as mine:
        answers = [
            await mine.get(LOGS),
            await mine.get("/queues/demo/jobs/1"),
            await mine.post("/queues/demo/jobs", json=[]),
            await mine.get("/workers"),
        ]

    assert [answer.status_code for answer in answers] == [401] * 4


async def test_once_the_lock_has_ended_it_opens_nothing(gateway: Gateway, queue: Queue) -> None:
    await queue.add("n")
    await queue.next_job("mine", lock_duration=timedelta(milliseconds=50))

    async with client_of(gateway, "mine") as mine:

        async def is_shut() -> httpx2.Response | None:
            answer = await mine.post(PROGRESS, content="5")
            return answer if answer.status_code != 200 else None

        answer = await until(is_shut)

    assert (answer.status_code, answer.text) == (401, "Unauthorized")
