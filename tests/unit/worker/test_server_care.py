"""Which servers are said to be unsafe, and how badly."""

import pytest

from framework.store.server_facts import ServerFacts, skew_ms
from framework.worker.server_care import findings_of, skew_finding

MIB = 1024 * 1024


def facts(
    policy: str = "noeviction",
    used: int = 1,
    most: int = 0,
    *,
    is_replica: bool = False,
    has_aof: bool = True,
) -> ServerFacts:
    return ServerFacts("9.0", policy, used * MIB, most * MIB, is_replica, has_aof)


def test_a_server_that_keeps_everything_is_safe() -> None:
    assert list(findings_of(facts())) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
def test_a_server_that_evicts_is_an_error_with_its_fix(policy: str) -> None:
    (found,) = findings_of(facts(policy))

    assert (found.level, dict(found.facts)) == ("error", {"maxmemory_policy": policy})
    assert found.fix.startswith("CONFIG SET maxmemory-policy noeviction")


def test_a_server_that_does_not_tell_its_policy_is_not_blamed() -> None:
    assert list(findings_of(facts(policy=""))) == []


@pytest.mark.parametrize(("used", "level"), [(89, None), (90, "warning"), (100, "warning")])
def test_memory_is_told_from_ninety_percent_on(used: int, level: str | None) -> None:
    found = [one.level for one in findings_of(facts(used=used, most=100))]

    assert found == ([level] if level else [])


def test_a_replica_is_an_error_whatever_it_keeps() -> None:
    (found,) = findings_of(facts(is_replica=True, has_aof=False))

    assert (found.level, "replica" in found.text) == ("error", True)


def test_a_server_without_a_file_is_mentioned() -> None:
    (found,) = findings_of(facts(has_aof=False))

    assert (found.level, found.fix) == ("info", "appendonly yes")


@pytest.mark.parametrize(
    ("trip", "there", "ahead"),
    [
        (2, 10_001, 0),  # read on the way
        (0, 10_000, 0),
        (5, 8_000, 2_000),  # ahead of the server
        (5, 12_005, -2_000),  # behind it
        (3_000, 12_000, 0),  # a slow way explains it
        (3_000, 14_000, -1_000),
    ],
)
def test_only_what_the_way_does_not_explain_is_skew(trip: float, there: float, ahead: int) -> None:
    assert skew_ms(10_000, trip, there) == ahead


@pytest.mark.parametrize(("ahead", "told"), [(999, False), (1000, True), (-1000, True)])
def test_clocks_are_told_apart_from_a_second_on(ahead: int, *, told: bool) -> None:
    found = skew_finding(ahead)

    assert (found is not None) is told
    assert found is None or dict(found.facts) == {"ahead_seconds": ahead / 1000}
