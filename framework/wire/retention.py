"""How long finished jobs are kept, as a job's ``opts`` say it to all who may finish it."""

import math
from collections.abc import Mapping
from typing import Any

from framework.errors import OptionsError
from framework.model.options import KEEP_COMPLETED, KEEP_FAILED, KeepJobs
from framework.wire.members import MOST, is_number, number_in
from framework.wire.millis import from_ms

AT_LEAST = "fw.atLeast"
MARK = "fw"
# Our default for completed jobs: peers read its count, we its limits by age too. Redis keeps the
# hash of a job whose ``opts`` have more than 64 bytes in a form twice as large and slower by a
# quarter; with each limit written out they would have 107.
OUR_DEFAULT = {"removeOnComplete": KEEP_COMPLETED.count, MARK: 1}


def retention_json(options: Mapping[str, Any]) -> dict[str, object]:
    """Word what ``options`` say of retention; where they say nothing, our default.

    Raises:
        OptionsError: One of the two is nothing of the sort.
    """
    completed: Mapping[str, object] = OUR_DEFAULT
    if options.get("remove_on_complete", KEEP_COMPLETED) != KEEP_COMPLETED:
        completed = {"removeOnComplete": keep_json(options, "remove_on_complete", KEEP_COMPLETED)}
    return {**completed, "removeOnFail": keep_json(options, "remove_on_fail", KEEP_FAILED)}


def read_retention(stored: Mapping[str, Any]) -> tuple[KeepJobs | None, KeepJobs | None]:
    """Return how long ``opts`` have a completed and a failed job kept; None: nothing is said."""
    completed = read_keep(stored.get("removeOnComplete"))
    if stored.items() >= OUR_DEFAULT.items():
        completed = KEEP_COMPLETED
    return completed, read_keep(stored.get("removeOnFail"))


def keep_json(options: Mapping[str, Any], name: str, unless: KeepJobs) -> object:
    """Word a retention as Node does, in whole seconds, rounded up; ``fw.atLeast`` is ours.

    None is not written: the worker that runs the job decides.
    """
    keep = options.get(name, unless)
    if keep is None or isinstance(keep, bool):
        return keep
    if not isinstance(keep, KeepJobs):
        raise OptionsError(
            name, f"it is KeepJobs, a bool or None, got {keep!r}. Write KeepJobs(count=1000), say"
        )
    if keep.count is not None and keep == KeepJobs(keep.count):
        return keep.count
    stored: dict[str, object] = {}
    if keep.count is not None:
        stored["count"] = keep.count
    if keep.age is not None:
        stored["age"] = math.ceil(keep.age.total_seconds())
    if keep.limit is not None:
        stored["limit"] = keep.limit
    if keep.at_least is not None and keep.count:
        stored[AT_LEAST] = math.ceil(keep.at_least.total_seconds())
    return stored or False


def read_keep(stored: object) -> KeepJobs | None:
    """Read a retention in any of Node's forms."""
    if stored is None:
        return None
    if isinstance(stored, bool):
        return KeepJobs(count=0) if stored else KeepJobs()
    if is_number(stored):
        return KeepJobs(count=int(stored)) if 0 <= stored <= MOST else KeepJobs()
    if not isinstance(stored, dict):
        return None
    age = number_in(stored, "age")
    at_least = number_in(stored, AT_LEAST)
    return KeepJobs(
        count=number_in(stored, "count"),
        age=None if age is None else from_ms(age * 1000),
        limit=number_in(stored, "limit"),
        at_least=None if at_least is None else from_ms(at_least * 1000),
    )
