"""What a worker knows of its locks while nobody can tell it."""

from framework.model.job import JobId, Token
from framework.worker.leases import Leases

A, B = (JobId("a"), Token("w:1")), (JobId("b"), Token("w:2"))


def test_a_lock_has_expired_so_long_after_its_last_renewal() -> None:
    leases = Leases(10, now=0)
    leases.look(dict([A]), now=1)
    leases.renewed(5)

    assert leases.ends == 15
    assert leases.take_expired(dict([A]), now=14.9) == []
    assert leases.take_expired(dict([A]), now=15) == [A]


def test_a_job_that_came_since_counts_from_the_look_before() -> None:
    leases = Leases(10, now=0)
    leases.look(dict([A]), now=3)
    leases.look(dict([A, B]), now=6)

    assert leases.take_expired(dict([A, B]), now=10) == [A]
    assert leases.take_expired(dict([A, B]), now=13) == [B]


def test_an_expired_lock_is_told_once() -> None:
    leases = Leases(10, now=0)
    leases.look(dict([A]), now=0)

    assert leases.take_expired(dict([A]), now=20) == [A]
    assert leases.take_expired(dict([A]), now=30) == []


def test_who_holds_nothing_loses_nothing() -> None:
    leases = Leases(10, now=0)
    leases.look({}, now=1)

    assert leases.ends == float("inf")
    assert leases.take_expired({}, now=99) == []
