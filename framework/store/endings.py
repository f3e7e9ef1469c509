"""From what a run led to, to the ending that ``exchange`` carries out; worker or hand alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, assert_never

from framework.errors import HandlerError, PayloadError
from framework.model.backoff import BackoffStrategy, outcome_of
from framework.model.job import Token
from framework.model.options import Custom, KeepJobs
from framework.model.outcome import (
    DelayFor,
    DelayUntil,
    Fail,
    GiveBack,
    Hold,
    LimitRate,
    Retry,
    WaitForChildren,
    Wish,
)
from framework.store.transitions.ending import (
    KEEP_ALL,
    Ending,
    completed,
    failed,
    given_back,
    parked_for_children,
    parked_for_limit,
    parked_until,
    retried,
    stalled,
)
from framework.wire.failure import reason_of, stacktrace_json
from framework.wire.job_hash import StoredJob
from framework.wire.millis import MAX_DUE_MS, instant_to_ms, to_ms
from framework.wire.stored_options import StoredOptions, decode_options

# In BullMQ's words.
STALLED = "job stalled more than allowable limit"
NO_STRATEGIES: Mapping[str, BackoffStrategy] = {}
NO_OPTIONS = decode_options(b"{}")


@dataclass(frozen=True, slots=True)
class Failure:
    """How a failed attempt ends.

    Attributes:
        outcome: Whether another one follows, and when.
        reason: What is stored as ``failedReason``.
        ending: What records it.
    """

    outcome: Fail | Retry
    reason: str
    ending: Ending


def of_result(
    job: StoredJob[Any, Any],
    token: Token,
    result: bytes,
    keep: KeepJobs = KEEP_ALL,
    *,
    was_new: bool = False,
) -> Ending:
    """Return the ending of a run that returned ``result``, a JSON text.

    Args:
        keep: How long to keep a job that does not say it.
        was_new: As `completed`.
    """
    keep = job.stored_options.keep_completed or keep
    return completed(job.id, token, result, keep, was_new=was_new)


def of_error(
    job: StoredJob[Any, Any],
    token: Token,
    error: BaseException,
    *,
    strategies: Mapping[str, BackoffStrategy] = NO_STRATEGIES,
    is_worn_out: bool = False,
    keep: KeepJobs = KEEP_ALL,
) -> Failure:
    """Return how an attempt ends that raised, as the job's options say.

    Args:
        strategies: What custom backoffs stand for.
        is_worn_out: Whether the job was started as often as it may be.
        keep: How long to keep a job that failed for good and does not say it.
    """
    options = options_of(job)
    made, backoff, strategy = job.attempts_made, options.backoff, None
    if isinstance(backoff, Custom) and backoff.name in strategies:
        strategy = partial(strategies[backoff.name], made + 1, error, job)
    outcome = outcome_of(
        error,
        attempts_made=made,
        attempts=options.attempts,
        backoff=backoff,
        strategy=strategy,
        is_worn_out=is_worn_out,
    )
    return of_outcome(job, token, outcome, keep)


def of_outcome(
    job: StoredJob[Any, Any], token: Token, outcome: Fail | Retry, keep: KeepJobs = KEEP_ALL
) -> Failure:
    """Return the ending of a failed attempt whose outcome is decided; ``keep`` as of `of_error`."""
    options, error = options_of(job), outcome.error
    reason = reason_of(error)
    stack = stacktrace_json(job.stacktrace, error, options.stack_trace_limit)
    if isinstance(outcome, Retry):
        delay_ms = to_ms(outcome.delay)
        ending = retried(job.id, token, reason, stack, delay_ms, lifo=options.lifo)
    else:
        kept = options.keep_failed or keep
        ending = failed(job.id, token, reason, stack, options.attempts, kept)
    return Failure(outcome, reason, ending)


def of_stall(job: StoredJob[Any, Any], token: Token, most: int) -> Ending:
    """Return the ending of a run whose worker vanished, as BullMQ's stalled check decides it."""
    options, error = options_of(job), HandlerError("", STALLED, STALLED)
    stack = stacktrace_json(job.stacktrace, error, options.stack_trace_limit)
    keep = options.keep_failed or KEEP_ALL
    return stalled(job.id, token, most, STALLED, stack, options.attempts, keep)


def of_wish(job: StoredJob[Any, Any], token: Token, wish: Wish, now_ms: int) -> Ending:
    """Return the ending that grants a wish."""
    job_id = job.id
    match wish:
        case DelayFor(delay):
            return parked_until(job_id, token, min(MAX_DUE_MS, now_ms + to_ms(delay)))
        case DelayUntil(due):
            return parked_until(job_id, token, min(MAX_DUE_MS, instant_to_ms(due)))
        case WaitForChildren():
            return parked_for_children(job_id, token)
        case LimitRate(duration):
            return parked_for_limit(job_id, token, to_ms(duration))
        case GiveBack(int(most)):
            return of_stall(job, token, most)
        case Hold() | GiveBack():
            return given_back(job_id, token)
    assert_never(wish)


def options_of(job: StoredJob[Any, Any]) -> StoredOptions:
    """Return a job's options; BullMQ's defaults where they cannot be read."""
    try:
        return job.stored_options
    except PayloadError:
        return NO_OPTIONS
