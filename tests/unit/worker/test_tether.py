"""A worker process's end of the pipes to its supervisor."""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from framework.model.job import JobId, Token
from framework.wire.keys import QueueKeys
from framework.worker.locks import Holdings, WhyLost
from framework.worker.tether import Tether


@dataclass
class Ends:
    """The supervisor's ends, and what the worker has there."""

    tether: Tether
    ears: int
    mouth: int
    held: dict[JobId, Token]
    lost: list[tuple[str, str]]
    is_cut: threading.Event

    def hear(self) -> list[dict[str, object]]:
        """All that was said since."""
        return [json.loads(line) for line in os.read(self.ears, 1 << 20).splitlines()]


@pytest.fixture
def ends() -> Iterator[Ends]:
    ears, their_mouth = os.pipe()
    their_ears, mouth = os.pipe()
    made = Ends(Tether(their_ears, their_mouth), ears, mouth, {}, [], threading.Event())

    def on_lost(job_id: JobId, _: Token, why: WhyLost) -> None:
        made.lost.append((job_id, why))

    one = Holdings(QueueKeys("bull", "mail"), made.held, 2_000, on_lost, "abc")
    made.tether.start([one], lambda: 7, made.is_cut.set)
    yield made
    os.close(ears)
    if not made.is_cut.is_set():
        os.close(mouth)
        assert made.is_cut.wait(5)
    os.close(their_ears)
    os.close(their_mouth)


def eventually(condition: object) -> None:
    deadline = time.monotonic() + 5
    while not condition():  # type: ignore[operator]  # a plain callable
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_it_says_who_works_and_then_what_is_held(ends: Ends) -> None:
    ends.held[JobId("1")] = Token("abc:5")
    ends.tether.ready()
    ends.tether.beat(0.0)

    who, ready, beat = ends.hear()

    assert who == {"workers": [["bull", "mail", "abc", 2000]]}
    assert ready == {"ready": True}
    assert beat["held"] == [{"1": "5"}]
    assert beat["life"][:2] == [0.0, 7]  # type: ignore[index]  # JSON


def test_a_full_pipe_makes_nobody_wait_and_the_newest_is_told_later(ends: Ends) -> None:
    ends.held.update({JobId(f"job-{n}"): Token(f"abc:{n}") for n in range(2_000)})
    for _ in range(20):
        ends.tether.beat(0.0)
    ends.held.clear()
    read = b""
    while not read.endswith(b"\n") or len(read) < 1 << 20:
        os.set_blocking(ends.ears, False)
        try:
            read += os.read(ends.ears, 1 << 20)
        except BlockingIOError:
            break
    ends.tether.beat(0.0)
    ends.tether.beat(0.0)
    read += os.read(ends.ears, 1 << 20)

    told = [json.loads(line) for line in read.splitlines()]

    assert len(told[1]["held"][0]) == 2_000
    assert told[-1]["held"] == [{}]


def test_a_lost_lock_is_passed_on_if_that_run_still_goes_on(ends: Ends) -> None:
    ends.held[JobId("1")] = Token("abc:5")
    said = {"lost": [[0, "1", "abc:4", "lost"], [0, "1", "abc:5", "removed"]]}

    os.write(ends.mouth, json.dumps(said).encode() + b"\n")

    eventually(lambda: ends.lost)
    assert ends.lost == [("1", "removed")]


def test_the_supervisor_renews_until_it_is_gone(ends: Ends) -> None:
    os.write(ends.mouth, b'{"lost": []}\n')
    assert ends.tether.renews_locks

    os.close(ends.mouth)

    assert ends.is_cut.wait(5)
    assert not ends.tether.renews_locks


def test_a_silent_supervisor_is_not_relied_on(ends: Ends) -> None:
    eventually(lambda: not ends.tether.renews_locks)  # half the life of a lock: a second
    assert not ends.is_cut.is_set()


def test_that_it_is_ready_is_said_again(ends: Ends) -> None:
    ends.hear()

    ends.tether.ready()
    ends.tether.beat(0.0)

    assert [told.get("ready") for told in ends.hear()] == [True, True]


def test_who_joins_later_is_told_with_what_it_holds_and_hears_what_it_lost(ends: Ends) -> None:
    lost: list[str] = []
    held = {JobId("9"): Token("def:3")}
    one = Holdings(
        QueueKeys("bull", "later"), held, 1_000, lambda job_id, *_: lost.append(job_id), "def"
    )
    ends.hear()

    leave = ends.tether.join([one], lambda: None)
    (who,) = ends.hear()
    os.write(ends.mouth, b'{"lost": [[1, "9", "def:3", "lost"]]}\n')
    eventually(lambda: lost == ["9"])
    held.clear()
    leave()
    again = Holdings(QueueKeys("bull", "last"), {}, 1_000, lambda *_: None, "ghi")
    ends.tether.join([again], lambda: None)

    assert who["workers"] == [["bull", "mail", "abc", 2000], ["bull", "later", "def", 1000]]
    assert who["held"] == [{}, {"9": "3"}]
    (who,) = ends.hear()
    assert who["workers"] == [["bull", "mail", "abc", 2000], ["bull", "last", "ghi", 1000]]


def test_who_joins_while_the_pipe_is_full_is_told_with_a_later_beat(ends: Ends) -> None:
    ends.held.update({JobId(f"job-{n}"): Token(f"abc:{n}") for n in range(20_000)})
    ends.tether.beat(0.0)
    one = Holdings(QueueKeys("bull", "later"), {}, 1_000, lambda *_: None, "def")
    ends.tether.join([one], lambda: None)
    ends.held.clear()

    read = b""
    while b'"later"' not in read:
        ends.tether.beat(0.0)
        read += os.read(ends.ears, 1 << 20)
    assert b'"later"' in read


def test_all_who_joined_hear_that_the_supervisor_is_gone(ends: Ends) -> None:
    heard = threading.Event()
    one = Holdings(QueueKeys("bull", "later"), {}, 1_000, lambda *_: None, "def")
    ends.tether.join([one], heard.set)

    os.close(ends.mouth)

    assert heard.wait(5)
    assert ends.is_cut.wait(5)
