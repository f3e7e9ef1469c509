"""Jobs, wishes and errors as messages between a worker and its child processes."""

from datetime import datetime, timedelta
from typing import Any

from framework import errors
from framework.errors import FrameworkError, HandlerError, UnrecoverableHandlerError
from framework.model.backoff import is_hopeless
from framework.model.job import JobId, Token
from framework.model.outcome import (
    DelayFor,
    DelayUntil,
    GiveBack,
    Hold,
    LimitRate,
    WaitForChildren,
    Wish,
)
from framework.wire.failure import reason_of, trace_of
from framework.wire.job_hash import Fields, StoredJob
from framework.wire.keys import QueueKeys
from framework.worker.frames import Message


def job_message(job: StoredJob[Any, Any], token: Token) -> Message:
    """Word a job: its hash as it was fetched, and what holds it."""
    facts = {"id": job.id, "queue": job.queue, "prefix": job.keys.prefix, "token": token}
    return Message("job", facts, in_a_row(job.fields))


def job_facts(message: Message) -> tuple[QueueKeys, JobId, Fields]:
    """Return the queue, the id and the hash of a job."""
    keys = QueueKeys(message.facts["prefix"], message.facts["queue"])
    return keys, JobId(message.facts["id"]), pairs_of(message.parts)


def in_a_row(fields: Fields) -> tuple[bytes, ...]:
    """Return fields one after the other, each before its value."""
    return tuple(part for pair in fields.items() for part in pair)


def pairs_of(parts: tuple[bytes, ...]) -> dict[bytes, bytes]:
    """Return what `in_a_row` was given."""
    return dict(zip(parts[::2], parts[1::2], strict=True))


def parked_message(wish: Wish) -> Message:
    """Word what a run that left early waits for."""
    facts: dict[str, Any] = {"wish": "wait_for_children"}
    match wish:
        case DelayFor(delay):
            facts = {"wish": "delay_for", "seconds": delay.total_seconds()}
        case DelayUntil(due):
            facts = {"wish": "delay_until", "due": due.isoformat()}
        case LimitRate(duration):
            facts = {"wish": "rate_limit", "seconds": duration.total_seconds()}
        case Hold():
            facts = {"wish": "hold"}
        case GiveBack(most):
            facts = {"wish": "give_back", "max_stalled": most}
        case WaitForChildren():
            pass
    return Message("parked", facts)


def wish_of(message: Message) -> Wish:
    """Return the wish that was worded."""
    facts = message.facts
    match facts["wish"]:
        case "delay_for":
            return DelayFor(timedelta(seconds=facts["seconds"]))
        case "delay_until":
            return DelayUntil(datetime.fromisoformat(facts["due"]))
        case "rate_limit":
            return LimitRate(timedelta(seconds=facts["seconds"]))
        case "hold":
            return Hold()
        case "give_back":
            return GiveBack(facts["max_stalled"])
        case _:
            return WaitForChildren()


def failed_message(error: BaseException) -> Message:
    """Word why a run failed: all that is left of the error outside its process."""
    return Message(
        "failed",
        {
            "kind": type(error).__name__,
            "text": reason_of(error),
            "trace": trace_of(error),
            "is_hopeless": is_hopeless(error),
        },
    )


def handler_error_of(message: Message) -> HandlerError:
    """Return the error that stands for what a handler raised."""
    facts = message.facts
    kind = UnrecoverableHandlerError if facts["is_hopeless"] else HandlerError
    return kind(facts["kind"], facts["text"], facts["trace"])


def refusal(error: FrameworkError) -> dict[str, Any]:
    """Word an error of the framework's so that the other side can raise it again."""
    facts = {name: fact for name, fact in vars(error).items() if is_plain(fact)}
    args = [arg if is_plain(arg) else str(arg) for arg in error.args]
    return {"error": type(error).__name__, "args": args, "facts": facts}


def refused(answer: dict[str, Any]) -> FrameworkError:
    """Return the error that was worded."""
    kind = getattr(errors, answer["error"], FrameworkError)
    error: FrameworkError = kind.__new__(kind)
    error.args = tuple(answer["args"])
    vars(error).update(answer["facts"])
    return error


def is_plain(fact: object) -> bool:
    """Tell whether JSON keeps it as it is."""
    return fact is None or isinstance(fact, str | int | float)
