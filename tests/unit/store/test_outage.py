"""What logs tell of a lost Redis: once that it is gone, once that it is back."""

import pytest
from structlog.testing import capture_logs

from framework.errors import RedisRefusedError, RedisUnavailableError
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
    assert (
        logs[0]["error"]
        == "cannot reach redis at here:6379 (connection refused). Tried until it is back"
    )


def test_the_end_of_an_outage_tells_how_long_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    seen = Outage()

    with capture_logs() as logs:
        seen.begin(GONE)
        now += 12
        seen.begin(GONE)
        now += 3
        seen.end()

    assert logs[-1]["seconds"] == 15.0


def test_what_redis_refuses_is_told_with_the_fix() -> None:
    with capture_logs() as logs:
        Outage().begin(RedisRefusedError("here:6379", "it is out of memory", fix="Raise maxmemory"))

    assert logs[0]["error"].endswith("Raise maxmemory")


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
