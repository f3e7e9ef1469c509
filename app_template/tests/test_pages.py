"""The pages, with the workers behind them, on a real server."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from framework_web import TaskProgress
from starter.landscape import LAYERS, layer, picture

HOME = picture([layer("Home", name) for name in LAYERS])


@pytest.fixture(autouse=True)
def quick_painter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starter.pictures.LAYER_SECONDS", 0.01)


def events_of(client: TestClient, at: str) -> Iterator[str]:
    """Yield the names of a task's events until it has ended."""
    with client.stream("GET", f"{at}/events") as answer:
        yield from (line[7:] for line in answer.iter_lines() if line.startswith("event: "))


def test_the_first_page_has_a_form_and_what_it_needs(client: TestClient) -> None:
    page = client.get("/")

    assert '<form method="post" action="/items"' in page.text
    for path in ("/site/style.css", "/site/live.js", "/framework-web/index.js"):
        assert client.get(path).status_code == 200, path


@pytest.mark.usefixtures("workers")
def test_a_picture_has_a_page_that_ends_once_it_is_painted(client: TestClient) -> None:
    page = client.post("/items", data={"title": "Home & <garden>"})

    assert [one.status_code for one in page.history] == [303]
    assert page.url.path.startswith("/items/")
    assert 'src="data:image/svg+xml,%3Csvg' in page.text
    assert 'alt="Home &amp; &lt;garden&gt;"' in page.text
    assert page.text.rstrip().endswith("</html>")


@pytest.mark.usefixtures("workers")
def test_a_picture_that_fails_says_why_and_is_painted_again(client: TestClient) -> None:
    page = client.post("/items", data={"title": "Home", "fails": "3"})
    assert "It failed: the brush fell into the lake" in page.text

    page = client.post(f"{page.url.path}/retry")

    assert 'alt="Home"' in page.text


def test_a_retry_of_what_has_not_failed_leads_to_its_page_all_the_same(client: TestClient) -> None:
    posted = client.post("/items", data={"title": "Home"}, follow_redirects=False)
    at = posted.headers["location"]

    answer = client.post(f"{at}/retry", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, at)


@pytest.mark.usefixtures("workers")
def test_a_task_is_started_and_followed_by_others_too(client: TestClient) -> None:
    at = client.post("/tasks/picture", json={"title": "Home"}).headers["location"]

    names = list(events_of(client, at))

    assert (names[0], names[-1]) == ("snapshot", "completed")
    painted: dict[str, Any] = client.get(at).json()
    assert painted["result"] == HOME
    assert TaskProgress(**painted["progress"]).percentage == 100


@pytest.mark.parametrize("data", [{}, {"title": ""}, {"title": "x" * 41}, {"fails": "often"}])
def test_what_cannot_be_painted_is_refused(client: TestClient, data: dict[str, str]) -> None:
    assert client.post("/items", data=data).status_code == 422


def test_a_page_of_no_picture_is_not_found(client: TestClient) -> None:
    assert client.get("/items/of-nobody").status_code == 404
    assert client.get("/items/meta").status_code == 404
