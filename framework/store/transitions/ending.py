"""How one run ends, as ``exchange`` carries it out: one function a way to end."""

from typing import NamedTuple

from framework.model.job import JobId, Token
from framework.model.options import KeepJobs
from framework.store.connection import Argument

KEEP_ALL = KeepJobs()
NOTHING_PENDING = 1


class Ending(NamedTuple):
    """How one run ended, as the script takes it; make it with the functions below."""

    kind: bytes
    job_id: JobId
    token: Token
    rest: tuple[Argument, ...] = ()
    keep: KeepJobs | None = None

    @property
    def is_final_failure(self) -> bool:
        """Whether it fails the job for good: there is no way to end it otherwise."""
        return self.kind in {b"f", b"q"}

    @property
    def size(self) -> int:
        """How many bytes its result or its reason takes, roughly."""
        text = self.rest[0] if self.rest else b""
        return len(text) if isinstance(text, bytes | str) else 0


def completed(
    job_id: JobId, token: Token, result: bytes, keep: KeepJobs, *, was_new: bool = False
) -> Ending:
    """End a run with ``result``, a JSON text. Wire: active -> completed.

    Args:
        was_new: `Fetched.is_new` of the job; spares a look at its hash.
    """
    return Ending(b"n" if was_new else b"c", job_id, token, (result,), keep)


def failed(
    job_id: JobId, token: Token, reason: str, stacktrace: bytes, attempts: int, keep: KeepJobs
) -> Ending:
    """End a job for good. Wire: active -> failed."""
    return Ending(b"f", job_id, token, (reason, stacktrace, attempts), keep)


def retried(
    job_id: JobId, token: Token, reason: str, stacktrace: bytes, delay_ms: int, *, lifo: bool
) -> Ending:
    """End an attempt; the next begins after ``delay_ms``.

    Wire: active -> delayed, or waiting/prioritized where there is no delay.
    """
    if delay_ms > 0:
        return Ending(b"d", job_id, token, (reason, stacktrace, delay_ms))
    return Ending(b"r", job_id, token, (reason, stacktrace, 1 if lifo else 0))


def given_back(job_id: JobId, token: Token) -> Ending:
    """Put a job back in line, before the others; no attempt is counted."""
    return Ending(b"g", job_id, token)


def stalled(
    job_id: JobId,
    token: Token,
    most: int,
    reason: str,
    stacktrace: bytes,
    attempts: int,
    keep: KeepJobs,
) -> Ending:
    """Put a job back in line whose worker vanished; fail it once that was too often.

    Wire: active -> waiting or prioritized, before the others; failed, where ``stc``, which rises
    by one, exceeds ``most``. No attempt is counted unless it fails.

    Args:
        most: How often a job's worker may vanish.
        reason: Why it fails then, as the next three say of `failed`.
    """
    rest = (most, reason, stacktrace, attempts)
    return Ending(b"s", job_id, token, rest, keep)


def quarantined(ending: Ending, crashes: int, row: str, mark: str) -> Ending:
    """Mark a job that fails for good as one that ended its process too often.

    Wire: as `failed`; fields ``fw.crashes`` and ``fw.quarantined``; a row in its log.

    Args:
        ending: Of `failed`.
        crashes: How often it did.
        row: For its log; "": none.
        mark: What ended the process last.
    """
    rest = (*ending.rest, crashes, row, mark)
    return Ending(b"q", ending.job_id, ending.token, rest, ending.keep)


def given_back_crashed(
    job_id: JobId, token: Token, crashes: int, row: str, delay_ms: int
) -> Ending:
    """Put a job back in line that ended the process it ran in, alone; no attempt is counted.

    Wire: active -> waiting or prioritized, before the others; delayed, if there is a delay;
    field ``fw.crashes``; a row in its log unless that is "".
    """
    return Ending(b"k", job_id, token, (crashes, row, delay_ms))


def parked_until(job_id: JobId, token: Token, due_ms: int) -> Ending:
    """Run a job again at ``due_ms``; no attempt is counted. Wire: active -> delayed."""
    return Ending(b"m", job_id, token, (due_ms,))


def parked_for_children(job_id: JobId, token: Token, *, stays: bool = False) -> Ending:
    """Run a job again once no child of it is pending; no attempt is counted.

    Wire: active -> waiting-children; waiting/prioritized, before the others, if no child
    is pending now.

    Args:
        stays: If no child is pending now, change nothing: the code is `NOTHING_PENDING`.
    """
    return Ending(b"w", job_id, token, (1 if stays else 0,))


def parked_for_limit(job_id: JobId, token: Token, limit_ms: int) -> Ending:
    """Start no job of the queue for a time, then this one first; no attempt is counted.

    Wire: active -> waiting/prioritized; key ``limiter``; field ``x-fw.limited`` of ``meta``.
    """
    return Ending(b"l", job_id, token, (limit_ms,))
