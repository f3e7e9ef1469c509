"""What a worker on Node does with a job: descriptions that `behaviours.js` makes processors of.

One that names no value returns nothing, which BullMQ stores as ``null``.
"""

from collections.abc import Mapping

Behaviour = Mapping[str, object]

ECHO: Behaviour = {"kind": "echo"}
"""Returns the job's data."""

HANG: Behaviour = {"kind": "hang"}
"""Runs until `NodeWorker.release`."""

CHILDREN_VALUES: Behaviour = {"kind": "childrenValues"}
"""Returns ``{"processed", "ignored"}``: what its children came to."""

NONE: Behaviour = {"kind": "none"}
"""Fetches nothing by itself: for `NodeWorker.call("getNextJob", token)`."""


def returns(value: object) -> Behaviour:
    return {"kind": "return", "value": value}


def sleeps(ms: int, value: object = None) -> Behaviour:
    return {"kind": "sleep", "ms": ms, "value": value}


def blocks(ms: int, value: object = None) -> Behaviour:
    """Hold the event loop, so that locks are not renewed."""
    return {"kind": "block", "ms": ms, "value": value}


def fails(
    times: int | None = None,
    message: str = "failed",
    *,
    unrecoverable: bool = False,
    value: object = None,
) -> Behaviour:
    """Throw while fewer than `times` attempts were made, or always; then return `value`."""
    limit = {} if times is None else {"times": times}
    return {
        "kind": "fail",
        "message": message,
        "unrecoverable": unrecoverable,
        "value": value,
        **limit,
    }


def progresses(*steps: object, value: object = None) -> Behaviour:
    return {"kind": "progress", "steps": steps, "value": value}


def logs(*rows: str, value: object = None) -> Behaviour:
    return {"kind": "log", "rows": rows, "value": value}


def updates(data: object, value: object = None) -> Behaviour:
    return {"kind": "update", "data": data, "value": value}


def delays(ms: int, value: object = None) -> Behaviour:
    """Move the job to delayed on its first run, return `value` on the next."""
    return {"kind": "delay", "ms": ms, "value": value}


def waits(value: object = None) -> Behaviour:
    """Move the job back to waiting on its first run, return `value` on the next."""
    return {"kind": "wait", "value": value}


def rate_limits(ms: int, value: object = None) -> Behaviour:
    """Limit the queue on a job's first run, return `value` on the next."""
    return {"kind": "rateLimit", "ms": ms, "value": value}


def adds_children(*children: Mapping[str, object]) -> Behaviour:
    """Add children ``{"queue", "name", "data", "opts"}``, wait for them, return their values."""
    return {"kind": "children", "children": children}


def steps(value: object = None, **table: Mapping[str, object]) -> Behaviour:
    """Run the step that the data names, and leave after it; at the end return what was done.

    Args:
        table: Of each step ``{"next": its follower, "leave": how}``; ``leave`` is ``{"kind":
            "delay" | "wait" | "rateLimit" | "children", "ms"}`` or nothing.
    """
    return {"kind": "steps", "steps": table, "value": value}


def by_name(otherwise: Behaviour = ECHO, **names: Behaviour) -> Behaviour:
    """Choose by the job's name."""
    return {"kind": "byName", "names": names, "otherwise": otherwise}
