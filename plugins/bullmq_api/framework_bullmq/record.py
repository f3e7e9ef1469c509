"""What a job tells of itself, each read when it is first asked for."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from framework import Job as Record
from framework import JobId
from framework_bullmq.job_options import engine_options
from framework_bullmq.millis import epoch_ms, instant_of, ms_of, now_ms, span_of
from framework_bullmq.told_options import bullmq_options

AnyRecord = Record[Any, Any]


def parent_of(record: AnyRecord) -> dict[str, str] | None:
    """Return the parent as ``{"id": "7", "queueKey": "bull:mail"}``."""
    if record.parent_key is None:
        return None
    queue, _, parent_id = record.parent_key.rpartition(":")
    return {"id": parent_id, "queueKey": queue}


def deduplication_id_of(record: AnyRecord) -> str | None:
    """Return what must not be there twice."""
    dedup = record.options.get("deduplication")
    return None if dedup is None else dedup.id


def option_of(name: str) -> Callable[[AnyRecord], Any]:
    """Return what reads one of the options."""
    return lambda record: bullmq_options(record.options).get(name, False)


READERS: Mapping[str, Callable[[AnyRecord], Any]] = {
    "attempts": lambda record: record.attempts,
    "attemptsMade": lambda record: record.attempts_made,
    "attemptsStarted": lambda record: record.attempts_started,
    "data": lambda record: record.data,
    "deduplicationId": deduplication_id_of,
    "deduplication_id": deduplication_id_of,
    "deferredFailure": lambda record: record.deferred_failure,
    "delay": lambda record: ms_of(record.delay),
    "discarded": lambda _: False,
    "failedReason": lambda record: record.failed_reason,
    "finishedOn": lambda record: epoch_ms(record.finished_on),
    "id": lambda record: str(record.id),
    "name": lambda record: record.name,
    "opts": lambda record: bullmq_options(record.options, record.parent_key),
    "parent": parent_of,
    "parentKey": lambda record: record.parent_key,
    "priority": lambda record: record.priority,
    "processedBy": lambda record: record.processed_by,
    "processedOn": lambda record: epoch_ms(record.processed_on),
    "progress": lambda record: record.progress,
    "removeOnComplete": option_of("removeOnComplete"),
    "removeOnFail": option_of("removeOnFail"),
    "repeatJobKey": lambda record: record.scheduler_id,
    "returnvalue": lambda record: record.result,
    "stacktrace": lambda record: list(record.stacktrace),
    "stalledCounter": lambda record: record.stalled_counter,
    "timestamp": lambda record: epoch_ms(record.timestamp),
    "token": lambda _: None,
}


def unsaved(
    queue: str, prefix: str, name: str, data: object, opts: object, job_id: str | None
) -> AnyRecord:
    """Return a job that is in no queue, for who makes one by hand."""
    options = engine_options(opts, prefix)
    parent = options.get("parent")
    return Record(
        JobId(job_id or options.get("job_id", "")),
        queue,
        name,
        data,
        options,
        timestamp=options.get("timestamp", instant_of("timestamp", now_ms())),
        delay=options.get("delay", span_of("delay", 0)),
        priority=options.get("priority", 0),
        parent_key=None if parent is None else f"{prefix}:{parent.queue}:{parent.id}",
    )


def facts_of(raw: Mapping[str, Any], job_id: str | None) -> dict[str, Any]:
    """Read the hash of a job, as Redis has it, into what a `Job` tells."""
    facts = {name: raw[field] for name, field in TEXTS.items() if field in raw}
    facts |= {name: int(raw[field]) for name, field in NUMBERS.items() if field in raw}
    facts |= {name: json.loads(raw[field]) for name, field in JSONS.items() if field in raw}
    said = json.loads(raw.get("opts") or "{}")
    facts["opts"] = {SHORT.get(name, name): value for name, value in said.items()}
    facts["attempts"] = facts["opts"].get("attempts", 1)
    facts["deduplication_id"] = facts.get("deduplicationId")
    if job_id is not None or "id" in raw:
        facts["id"] = str(job_id if job_id is not None else raw["id"])
    return facts


TEXTS = {
    "name": "name", "failedReason": "failedReason", "deferredFailure": "defa",
    "repeatJobKey": "rjk", "parentKey": "parentKey", "processedBy": "pb", "deduplicationId": "deid",
}  # fmt: skip
NUMBERS = {
    "timestamp": "timestamp", "delay": "delay", "priority": "priority", "attemptsMade": "atm",
    "attemptsStarted": "ats", "stalledCounter": "stc", "processedOn": "processedOn",
    "finishedOn": "finishedOn",
}  # fmt: skip
JSONS = {
    "data": "data", "progress": "progress", "returnvalue": "returnvalue", "parent": "parent",
    "stacktrace": "stacktrace",
}  # fmt: skip
# The short names of a hash's ``opts``.
SHORT = {
    "kl": "keepLogs", "de": "deduplication", "fpof": "failParentOnFailure",
    "cpof": "continueParentOnFailure", "idof": "ignoreDependencyOnFailure",
    "rdof": "removeDependencyOnFailure",
}  # fmt: skip


def raw_of(record: AnyRecord) -> dict[str, str]:
    """Return a job as `facts_of` reads it."""
    long = {name: short for short, name in SHORT.items()}
    opts = bullmq_options(record.options, record.parent_key)
    raw = {
        "name": record.name,
        "data": json.dumps(record.data, separators=(",", ":")),
        "opts": json.dumps({long.get(name, name): value for name, value in opts.items()}),
    }
    told = {name: READERS[name](record) for name in (*NUMBERS, *TEXTS)}
    raw |= {NUMBERS[name]: str(told[name]) for name in NUMBERS}
    raw |= {TEXTS[name]: told[name] for name in TEXTS if told[name] is not None}
    parent = parent_of(record)
    return raw if parent is None else raw | {"parent": json.dumps(parent)}
