"""The web app and the workers together, on a real server."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs


def until(look: Callable[[], Any], *, seconds: float = 20) -> Any:  # noqa: ANN401 - what was seen
    """Look again and again until something is there."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)
    return seen


def finished(client: TestClient, job_id: str) -> dict[str, Any]:
    """Return the report of a job once it has completed or failed."""

    def report() -> dict[str, Any] | None:
        seen: dict[str, Any] = client.get(f"/demo/jobs/{job_id}").json()
        return seen if seen["state"] in {"completed", "failed"} else None

    seen: dict[str, Any] = until(report)
    return seen


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/demo/echo?msg=hi",
            '{"queued":true,"jobId":"1","type":"echo","msg":"hi"}',
        ),
        (
            "/demo/echo",
            '{"queued":true,"jobId":"1","type":"echo","msg":"hello"}',
        ),
        (
            "/demo/delay?msg=wait&ms=3000",
            '{"queued":true,"jobId":"1","type":"echo","delayMs":"3000"}',
        ),
        (
            "/demo/delay",
            '{"queued":true,"jobId":"1","type":"echo","delayMs":"5000"}',
        ),
        (
            "/demo/retry?msg=resilient&fail=2",
            '{"queued":true,"jobId":"1","type":"maybe-fail","failTimes":"2"}',
        ),
        (
            "/demo/retry",
            '{"queued":true,"jobId":"1","type":"maybe-fail","failTimes":"1"}',
        ),
    ],
)
def test_the_answer_tells_what_was_added(client: TestClient, path: str, body: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.text == body


@pytest.mark.usefixtures("workers")
def test_an_echo_comes_back(client: TestClient) -> None:
    with capture_logs() as logs:
        added = client.get("/demo/echo?msg=hi").json()
        report = finished(client, added["jobId"])
        until(lambda: any("completed" in line["event"] for line in logs))

    assert report == {
        "jobId": "1",
        "type": "echo",
        "state": "completed",
        "progress": 100,
        "attempts": 1,
        "result": {"echoed": "hi"},
    }
    lines = [line["event"] for line in logs]
    assert 'progress "echo" id=1 = 50%' in lines
    assert "completed \"echo\" id=1 result={'echoed': 'hi'}" in lines


def test_a_delayed_job_waits(client: TestClient) -> None:
    client.get("/demo/delay?ms=60000")

    report = client.get("/demo/jobs/1").json()

    assert report == {
        "jobId": "1",
        "type": "echo",
        "state": "delayed",
        "progress": 0,
        "attempts": 0,
    }


@pytest.mark.usefixtures("workers")
def test_a_delayed_job_runs_when_it_is_due(client: TestClient) -> None:
    added = client.get("/demo/delay?msg=later&ms=300").json()

    assert finished(client, added["jobId"])["result"] == {"echoed": "later"}


@pytest.mark.usefixtures("workers")
def test_a_job_that_fails_once_is_tried_again_a_second_later(client: TestClient) -> None:
    with capture_logs() as logs:
        began = time.monotonic()
        added = client.get("/demo/retry?msg=resilient&fail=1").json()
        report = finished(client, added["jobId"])

    assert report["state"] == "completed"
    assert report["attempts"] == 2
    assert report["result"] == {"okAfterRetries": "resilient"}
    assert time.monotonic() - began >= 1
    reason = "Failing on purpose (attempt 1/1)"
    lines = [line["event"] for line in logs]
    assert f'failed "maybe-fail" id=1 attempt=1 error={reason}' in lines


@pytest.mark.usefixtures("workers")
def test_a_job_that_shall_not_fail_succeeds_at_once(client: TestClient) -> None:
    added = client.get("/demo/retry?fail=0").json()

    assert finished(client, added["jobId"])["attempts"] == 1


def test_a_job_of_another_name_completes_with_nothing(
    client: TestClient, workers: Callable[[str, object], str]
) -> None:
    job_id = workers("of-another-name", {"any": "data"})

    assert finished(client, job_id)["result"] is None


def test_an_unknown_job_is_not_found(client: TestClient) -> None:
    answer = client.get("/demo/jobs/99")

    assert answer.status_code == 404
    assert answer.json() == {"detail": 'queue "demo" has no job 99'}


@pytest.mark.parametrize("job_id", ["meta", "events", "wait", "1:lock", "%F0%9F%8C%B1"])
def test_what_is_no_job_is_not_found(client: TestClient, job_id: str) -> None:
    client.get("/demo/echo")

    assert client.get(f"/demo/jobs/{job_id}").status_code == 404


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/demo/delay?ms=soon", "ms"),
        ("/demo/delay?ms=-1", "ms"),
        ("/demo/delay?ms=1.5", "ms"),
        ("/demo/delay?ms=", "ms"),
        ("/demo/delay?ms=99999999999", "ms"),
        ("/demo/retry?fail=often", "fail"),
        ("/demo/retry?fail=-1", "fail"),
        ("/demo/retry?fail=21", "fail"),
    ],
)
def test_bad_input_is_refused_by_name(client: TestClient, path: str, parameter: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", parameter]
    assert "whole number" in answer.json()["detail"][0]["msg"]
