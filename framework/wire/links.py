"""What ties a job to others: its parent, and the id that it must not share."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from framework.errors import OptionsError
from framework.model.options import (
    Deduplication,
    JobOptions,
    OnChildFailure,
    Parent,
    ParentJob,
)
from framework.wire.keys import QueueKeys, is_text, may_be_job
from framework.wire.millis import from_ms, to_ms

# BullMQ's short names: failParentOnFailure, continueParentOnFailure and so on; "wait" has none.
FLAGS: dict[OnChildFailure, str] = {
    "fail": "fpof",
    "continue": "cpof",
    "ignore": "idof",
    "remove": "rdof",
}
MODES = {
    "extend": "extend",
    "replace": "replace",
    "reschedule": "reschedule",
    "keepLastIfActive": "keep_last_if_active",
}
# What JavaScript counts exactly.
MOST = 2**53
NAMES = frozenset({"deduplication", "parent", "on_child_failure"})


@dataclass(frozen=True, slots=True)
class Link:
    """What is written of a job's ties.

    Attributes:
        opts: Its part of the ``opts`` JSON.
        parent_key: The full key of the parent, or "".
        parent: The ``parent`` JSON of the hash, or "".
        dedup: The JSON of the deduplication, or "".
        dedup_id: Its id, or "".
    """

    opts: Mapping[str, object]
    parent_key: str = ""
    parent: str = ""
    dedup: str = ""
    dedup_id: str = ""


def link_of(options: JobOptions, prefix: str | None, *, in_flow: bool) -> Link | None:
    """Return what ties a job to others; None for a job of its own.

    Wire: the flag of ``on_child_failure`` stands in ``opts`` and in ``parent``, and where
    there is none, as for ``"wait"``, no member: null would pass for true in a peer's script.

    Raises:
        OptionsError: An option of the wrong kind, or two that BullMQ allows no job.
    """
    if NAMES.isdisjoint(options):
        return None
    dedup = options.get("deduplication")
    parent = options.get("parent")
    policy = options.get("on_child_failure", "fail")
    if dedup is not None and not isinstance(dedup, Deduplication):
        raise OptionsError("deduplication", f"it is Deduplication(id), got {dedup!r}")
    if policy not in get_args(OnChildFailure):
        known = ", ".join(map(repr, get_args(OnChildFailure)))
        raise OptionsError("on_child_failure", f"it is one of {known}, got {policy!r}")
    if parent is None:
        if "on_child_failure" in options:
            raise OptionsError("on_child_failure", "a job without parent= has nobody to tell")
        return None if dedup is None else Link({"de": dedup_json(dedup)}, **worded(dedup))
    check_together(dedup, in_flow=in_flow)
    return parent_link(parent, policy, dedup, prefix)


def check_together(dedup: Deduplication | None, *, in_flow: bool) -> None:
    """Refuse what BullMQ refuses of a child."""
    if dedup is not None and not in_flow:
        raise OptionsError("deduplication", "a job with parent= cannot have it")
    if dedup is not None and dedup.keep_last_if_active:
        raise OptionsError("deduplication", "a child cannot have keep_last_if_active")


def parent_link(
    parent: Parent, policy: OnChildFailure, dedup: Deduplication | None, prefix: str | None
) -> Link:
    """Word a child's ties."""
    if prefix is None:
        raise OptionsError("parent", "it is given with each add, never among the defaults")
    job_id, queue = getattr(parent, "id", None), getattr(parent, "queue", None)
    if not is_text(job_id) or not is_text(queue) or not may_be_job(job_id):
        raise OptionsError("parent", f"it is a job, or has its id and queue, got {parent!r}")
    keys = QueueKeys(prefix, queue)
    check_prefix(parent, keys)
    flag = {FLAGS[policy]: True} if policy in FLAGS else {}
    opts: dict[str, object] = {"parent": {"id": job_id, "queue": keys.qualified}, **flag}
    if dedup is not None:
        opts["de"] = dedup_json(dedup)
    stored = compact({"id": job_id, "queueKey": keys.qualified, **flag})
    return Link(opts, keys.job(job_id), stored, **(worded(dedup) if dedup else {}))


def check_prefix(parent: Parent, ours: QueueKeys) -> None:
    """Refuse a job of another prefix: under ours its id is another job's, or nobody's."""
    theirs = getattr(parent, "keys", None)
    if isinstance(theirs, QueueKeys) and theirs.prefix != ours.prefix:
        raise OptionsError(
            "parent",
            f'job {parent.id} is of "{theirs.qualified}", and jobs added here begin with '
            f'"{ours.prefix}:"; parent and child share one prefix',
        )


def dedup_json(dedup: Deduplication) -> dict[str, object]:
    """Word a deduplication as Node does."""
    stored: dict[str, object] = {"id": dedup.id}
    if dedup.ttl is not None:
        stored["ttl"] = to_ms(dedup.ttl)
    for member, name in MODES.items():
        if getattr(dedup, name):
            stored[member] = True
    return stored


def worded(dedup: Deduplication) -> dict[str, str]:
    """Return what a script needs of a deduplication."""
    return {"dedup": compact(dedup_json(dedup)), "dedup_id": dedup.id}


def compact(value: object) -> str:
    """Return the JSON text of a value."""
    return json.dumps(value, separators=(",", ":"))


def read_dedup(stored: object) -> Deduplication | None:
    """Read a ``de`` object; one without an id counts as none."""
    if not isinstance(stored, dict) or not is_text(stored.get("id")):
        return None
    ttl: Any = stored.get("ttl")
    has_ttl = isinstance(ttl, int | float) and not isinstance(ttl, bool) and ttl >= 1
    modes = {name: stored.get(member) is True for member, name in MODES.items()}
    return Deduplication(
        stored["id"], ttl=from_ms(int(min(ttl, MOST))) if has_ttl else None, **modes
    )


def read_parent(stored: object) -> ParentJob | None:
    """Read the ``parent`` of an ``opts`` JSON; no queue name holds a colon, so the last parts."""
    if not isinstance(stored, dict):
        return None
    job_id, queue = stored.get("id"), stored.get("queue")
    if not is_text(job_id) or not is_text(queue):
        return None
    return ParentJob(job_id, queue.rpartition(":")[2])


def read_policy(stored: Mapping[str, Any]) -> OnChildFailure | None:
    """Read which of the four flags is set, in the order in which BullMQ looks."""
    return next((policy for policy, flag in FLAGS.items() if stored.get(flag) is True), None)
