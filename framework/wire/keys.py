"""Every key name of a queue, and which names a job id may not take."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeGuard

from framework.errors import OptionsError

# Suffixes with a meaning of their own; a job of such an id would share its key.
RESERVED = frozenset({
    "active", "completed", "de", "delay", "delayed", "dn", "events", "failed", "id", "limiter",
    "marker", "meta", "metrics", "paused", "pc", "prioritized", "priority", "repeat", "stalled",
    "stalled-check", "wait", "waiting-children",
})  # fmt: skip
NAMES = {
    "base": "",
    "wait": "wait",
    "paused": "paused",
    "active": "active",
    "prioritized": "prioritized",
    "delayed": "delayed",
    "completed": "completed",
    "failed": "failed",
    "waiting_children": "waiting-children",
    "stalled": "stalled",
    "stalled_check": "stalled-check",
    "marker": "marker",
    "meta": "meta",
    "events": "events",
    "pc": "pc",
    "id": "id",
    "limiter": "limiter",
    "repeat_set": "repeat",
}
# What hangs on a job's key.
JOB_PARTS = frozenset({
    "logs", "dependencies", "processed", "failed", "unsuccessful", "lock", "chunks",
})  # fmt: skip
# Keys that may outlive the jobs they were written for, and those of ours.
LEFTOVERS = ("de:", "dn:", "repeat:", "meta:fw:")
WHOLE_NUMBER = re.compile(r"[+-]?\d+")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MAX_ID_BYTES = 512


class QueueKeys:
    """The key names of one queue.

    Args:
        prefix: What all queues of a fleet share; BullMQ's default is ``bull``.
        queue: The queue's name.

    Raises:
        OptionsError: An empty name, or one that holds a colon.
    """

    __slots__ = ("_names", "base", "prefix", "queue")

    def __init__(self, prefix: str, queue: str) -> None:
        check_queue_name(queue)
        if not prefix:
            raise OptionsError("prefix", "it must not be empty")
        self.prefix = prefix
        self.queue = queue
        self.base = f"{prefix}:{queue}:"
        self._names = {name: self.base + suffix for name, suffix in NAMES.items()}

    @property
    def qualified(self) -> str:
        """The queue's name with its prefix: ``bull:mail``."""
        return self.base[:-1]

    def __getitem__(self, name: str) -> str:
        return self._names[name]

    def pick(self, names: Iterable[str], **own: str) -> list[str]:
        """Return the keys of a script's header, in its order.

        Args:
            names: The words of the header.
            own: Keys that only this call knows, by their word.
        """
        return [own[name] if name in own else self._names[name] for name in names]

    def job(self, job_id: str) -> str:
        """Return the key of a job's hash."""
        return self.base + job_id

    def chunks(self, job_id: str) -> str:
        """Return the key of what a job streams."""
        return f"{self.base}{job_id}:chunks"

    def dedup(self, dedup_id: str) -> str:
        """Return the key that holds a deduplication id for one job."""
        return f"{self.base}de:{dedup_id}"

    @property
    def audit(self) -> str:
        """The key that says that this queue's flows were looked after."""
        return f"{self.base}meta:fw:audit"

    @property
    def schedules(self) -> str:
        """The hash that tells who declares which schedule."""
        return f"{self.base}meta:fw:schedules"

    def fenced(self, worker: str) -> str:
        """Return the key that keeps a worker from taking jobs, since it has died."""
        return f"{self.base}meta:fw:fenced:{worker}"

    def calls(self, worker: str) -> str:
        """Return the key that wakes one worker when something is asked of what it runs."""
        return f"{self.base}meta:fw:calls:{worker}"

    def lane(self, lane: str) -> str:
        """Return the key that remembers the last answer on one lane."""
        return f"{self.base}meta:fw:lane:{lane}"


def place_of(key: str, prefix: str) -> tuple[str, str, str]:
    """Return prefix, queue and id of a job's full key.

    No queue's name holds a colon, so below a known prefix the id may; any other key is
    taken apart from its end.
    """
    if key.startswith(f"{prefix}:"):
        queue, _, job_id = key[len(prefix) + 1 :].partition(":")
        if job_id:
            return prefix, queue, job_id
    base, _, job_id = key.rpartition(":")
    elsewhere, _, queue = base.rpartition(":")
    return elsewhere, queue, job_id


def may_be_job(job_id: str) -> bool:
    """Tell whether an id can be a job's at all; the others name keys of the queue.

    Raises:
        OptionsError: It is no text; callers may have no type checker.
    """
    if not isinstance(job_id, str):
        raise OptionsError("job_id", f"it is text, got {job_id!r}. Of a job, give its id: job.id")
    return bool(job_id) and is_unicode(job_id) and job_id not in RESERVED


def job_in_key(keys: QueueKeys, key: str) -> str | None:
    """Return the id of the job that a queue's key may belong to; None where it is no job's."""
    job_id, _, part = key.removeprefix(keys.base).partition(":")
    return job_id if job_id and job_id not in RESERVED and (not part or part in JOB_PARTS) else None


def is_leftover(keys: QueueKeys, key: str) -> bool:
    """Tell whether a key may be there without any job or setting that it stands for."""
    return key.removeprefix(keys.base).startswith(LEFTOVERS)


def check_queue_name(queue: str) -> None:
    """Refuse a queue name that no BullMQ peer could use."""
    if not is_text(queue) or ":" in queue:
        raise OptionsError("queue", f"a name is not empty and holds no ':', got {queue!r}")
    if not is_unicode(queue):
        raise OptionsError("queue", f"{queue!r} is no valid Unicode text")


def is_unicode(text: str) -> bool:
    """Tell whether a text can be sent; half a surrogate pair, as JSON may hold it, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_text(given: object) -> TypeGuard[str]:
    """Tell whether something is text and not empty; callers may have no type checker."""
    return isinstance(given, str) and bool(given)


@lru_cache(maxsize=1024)
def check_job_id(job_id: object) -> None:
    """Refuse a custom id that would collide with a key or with a counted id.

    Raises:
        OptionsError: It is numeric, empty, too long, reserved, or holds ``:`` or
            control characters.
    """
    if not is_text(job_id):
        raise OptionsError("job_id", f"it is a text that must not be empty, got {job_id!r}")
    if WHOLE_NUMBER.fullmatch(job_id):
        raise OptionsError(
            "job_id", f"{job_id!r} is a number; those are counted by Redis. Try 'job-{job_id}'"
        )
    if ":" in job_id:
        raise OptionsError(
            "job_id", f"{job_id!r} holds ':', which parts the keys in Redis. Try '-'"
        )
    if CONTROL.search(job_id):
        raise OptionsError("job_id", f"{job_id!r} holds control characters")
    if job_id in RESERVED:
        raise OptionsError("job_id", f"{job_id!r} names a key that every queue has")
    try:
        size = len(job_id.encode())
    except UnicodeEncodeError as error:
        raise OptionsError("job_id", f"{job_id!r} is no valid Unicode text") from error
    if size > MAX_ID_BYTES:
        raise OptionsError("job_id", f"it is {size} bytes long, at most {MAX_ID_BYTES} are allowed")
