from starlette.testclient import TestClient


def test_a_reminder_is_added(client: TestClient) -> None:
    answer = client.post("/reminders", json={"user_id": 7, "text": "Water the fern."})

    assert answer.status_code == 202
    assert answer.json() == {"job_id": "1"}


def test_a_text_that_is_too_long_is_refused(client: TestClient) -> None:
    answer = client.post("/reminders", json={"user_id": 7, "text": "long" * 100})

    assert answer.status_code == 422
