"""What logs tell of a lost Redis: once that it is gone, once that it is back."""

import pytest
from structlog.testing import capture_logs

from framework.errors import RedisUnavailableError
from framework.store.outage import Outage

GONE = RedisUnavailableError("here:6379", "connection refused")


def test_one_server_is_back_with_the_first_call_that_comes_through() -> None:
    seen = Outage()

    with capture_logs() as logs:
        for _ in range(3):
            seen.begin(GONE)
        seen.end()
        seen.end()

    assert [one["event"] for one in logs] == ["redis lost", "redis back"]
    assert seen.error is None


def test_a_call_that_says_little_ends_an_outage_only_after_a_quiet_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    seen = Outage()

    with capture_logs() as logs:
        seen.end_after(20)
        seen.begin(GONE)
        seen.end_after(20)
        now += 20
        seen.end_after(20)

    assert [one["event"] for one in logs] == ["redis lost", "redis back"]


def test_other_nodes_do_not_end_the_outage_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    seen = Outage.of_cluster()

    with capture_logs() as logs:
        for _ in range(3):
            seen.begin(GONE)
            seen.end()  # a call to another node
        now += 10
        seen.end()

    assert [one["event"] for one in logs] == ["redis lost", "redis back"]
