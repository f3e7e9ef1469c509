"""What a worker and its children tell each other."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from framework.errors import (
    FailedChildrenError,
    FrameworkError,
    LockLostError,
    OptionsError,
    RedisUnavailableError,
    ResultError,
    UnrecoverableError,
)
from framework.model.outcome import DelayFor, DelayUntil, Hold, LimitRate, WaitForChildren, Wish
from framework.worker.carrying import (
    failed_message,
    handler_error_of,
    in_a_row,
    pairs_of,
    parked_message,
    refusal,
    refused,
    wish_of,
)
from framework.worker.frames import LENGTHS, Link, LinkEndedError, Message, pack, unpack


class DeclinedError(UnrecoverableError):
    pass


def crossed(message: Message) -> Message:
    frame = pack(message)
    _, head_size = LENGTHS.unpack(frame[: LENGTHS.size])
    return unpack(frame[LENGTHS.size :], head_size)


@pytest.mark.parametrize(
    "message",
    [
        Message("end"),
        Message("ask", {"what": "log", "row": "naïve \ud83d"}),
        Message("job", {"id": "1"}, (b"", b"\xff\x00", b'{"a":1}' * 1000)),
    ],
)
def test_a_message_crosses_as_it_is(message: Message) -> None:
    assert crossed(message) == message


def test_a_hash_crosses_with_its_bytes() -> None:
    fields = {b"data": b"\xff", b"name": b"", b"opts": b"{}"}

    assert pairs_of(in_a_row(fields)) == fields


@pytest.mark.parametrize(
    "wish",
    [
        DelayFor(timedelta(milliseconds=1500)),
        DelayUntil(datetime(2030, 1, 2, 3, 4, 5, 6000, tzinfo=UTC)),
        LimitRate(timedelta(seconds=3)),
        WaitForChildren(),
        Hold(),
    ],
)
def test_a_wish_crosses(wish: Wish) -> None:
    assert wish_of(crossed(parked_message(wish))) == wish


@pytest.mark.parametrize(
    "error",
    [
        LockLostError(job_id="7", queue="demo", code=-6),
        FailedChildrenError(job_id="7", queue="demo", child="bull:pages:1"),
        RedisUnavailableError("redis://x", "refused", fix="mend it"),
        OptionsError("delay", "it is negative"),
        ResultError("no JSON"),
    ],
)
def test_a_refusal_crosses_as_the_same_error(error: FrameworkError) -> None:
    again = refused(crossed(Message("answer", refusal(error))).facts)

    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_of_a_handlers_error_its_words_cross() -> None:
    with pytest.raises(ValueError, match="no good") as raised:
        int("no good")

    error = handler_error_of(crossed(failed_message(raised.value)))

    assert (str(error), error.kind) == (str(raised.value), "ValueError")
    assert error.trace.endswith(f"ValueError: {raised.value}\n")
    assert not isinstance(error, UnrecoverableError)


@pytest.mark.parametrize(
    "error", [DeclinedError("no"), ExceptionGroup("", [DeclinedError("no"), ValueError()])]
)
def test_that_no_retry_helps_crosses(error: Exception) -> None:
    assert isinstance(handler_error_of(crossed(failed_message(error))), UnrecoverableError)


async def fill(link: Link) -> None:
    with pytest.raises(LinkEndedError):
        await link.send(Message("job", {}, (b"x" * 3_000_000,)))


async def test_a_link_carries_messages_both_ways_until_one_side_is_gone() -> None:
    ours, theirs = [await Link.over(end) for end in socket.socketpair()]

    await theirs.send(Message("one"))
    await theirs.send(Message("two"))
    heard = [await ours.receive(), await ours.receive()]
    await ours.send(Message("three"))
    heard.append(await theirs.receive())
    theirs.close()

    assert [message.kind for message in heard] == ["one", "two", "three"]
    with pytest.raises(LinkEndedError):
        await ours.receive()
    await fill(ours)
    ours.close()
