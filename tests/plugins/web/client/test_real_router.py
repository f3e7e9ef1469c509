"""The client of scripts and the module of pages, against the plugin itself."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest

from framework_web.client import TaskClient, TaskFailedError, TaskRefusedError
from tests.plugins.web.serving import Resize, gate, resize, serving
from tests.support.apps import Open


@pytest.fixture
async def web(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx2.AsyncClient]:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    async with serving(open_app(resize, plugins=("web",))) as web:
        yield web


@pytest.fixture
def tasks(web: httpx2.AsyncClient) -> TaskClient:
    return TaskClient(str(web.base_url.join("/tasks")), http=web)


async def test_a_task_is_followed_from_its_start_to_its_end(tasks: TaskClient) -> None:
    name = uuid.uuid4().hex
    task = await tasks.start("resize", Resize(width=3, gate=name), result=dict[str, int])

    names: list[str] = []
    async for event in task.events():
        names.append(event.name)
        if event.view.percentage == 20:
            gate(name).set()

    assert (names[0], names[-1]) == ("snapshot", "completed")
    assert await task.wait() == {"width": 3}
    assert (await task.look()).finished_at is not None
    late = [event async for event in task.events()]
    assert [event.name for event in late] == ["snapshot", "chunk", "chunk", "log", "log"]
    assert [event.data["data"] for event in late[1:3]] == ["first", {"second": 2}]


async def test_a_task_that_runs_is_aborted(tasks: TaskClient) -> None:
    task = await tasks.start("resize", Resize(width=3, gate=uuid.uuid4().hex))

    effects: list[str] = []
    async for event in task.events():
        if event.view.percentage == 20 and not effects:
            effects.append(await task.abort())

    assert effects == ["asked"]
    with pytest.raises(TaskFailedError) as failed:
        await task.wait()
    assert failed.value.is_cancelled


async def test_a_failed_task_says_why_and_is_retried(tasks: TaskClient) -> None:
    task = await tasks.start("resize", {"width": 3, "name": "broken"}, idempotency_key="once")
    with pytest.raises(TaskFailedError, match="no picture"):
        await task.wait()

    await task.retry()

    with pytest.raises(TaskFailedError, match="no picture"):
        await tasks.task("resize", "once").wait(timedelta(seconds=10))


async def test_what_does_not_fit_or_is_not_there_is_refused(tasks: TaskClient) -> None:
    with pytest.raises(TaskRefusedError, match="does not fit: width") as unfit:
        await tasks.start("resize", {"width": -1})
    with pytest.raises(TaskRefusedError) as unknown:
        await tasks.task("resize", "nobody").wait()

    assert (unfit.value.status, unknown.value.status) == (422, 404)


async def test_a_page_gets_the_module_from_the_plugin(web: httpx2.AsyncClient) -> None:
    answer = await web.get("/framework-web/index.js")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "createTask" in answer.text
    assert (await web.get("/framework-web/task.js")).status_code == 200


async def test_a_token_is_all_that_a_client_needs_to_watch_and_abort(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_KEYS", "the-key")
    monkeypatch.setenv("FRAMEWORK_WEB_SECRET", "a secret of this test alone")
    async with serving(open_app(resize, plugins=("web",))) as web:
        url = str(web.base_url.join("/tasks"))
        with_key = {"Authorization": "Bearer the-key"}
        async with TaskClient(url, headers=with_key) as ours, TaskClient(url) as theirs:
            mine = await ours.start("resize", Resize(width=3, gate=uuid.uuid4().hex))
            seen = theirs.task("resize", mine.id, token=mine.token)
            nothing = theirs.task("resize", mine.id)

            with pytest.raises(TaskRefusedError) as refused:
                await nothing.look()
            effects: list[str] = []
            async for event in seen.events():
                if event.view.percentage == 20 and not effects:
                    effects.append(await seen.abort())
            with pytest.raises(TaskRefusedError):
                await seen.retry()

    assert mine.token is not None
    assert effects == ["asked"]
    assert refused.value.status == 401
    assert event.view.error == "cancelled: aborted"


async def test_no_error_shows_a_token_of_an_address(web: httpx2.AsyncClient) -> None:
    task = TaskClient(str(web.base_url.join("/tasks?token=abort.1.x")), http=web).task(
        "resize", "none"
    )

    with pytest.raises(TaskRefusedError) as refused:
        await task.look()

    assert "token" not in str(refused.value)
