"""A job as a client describes it, ``{name, data, opts?}``, checked before anything is added."""

from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from framework import JobOptions, ParentJob
from framework_gateway.errors import bad_request
from framework_gateway.option_check import OPTIONS
from framework_gateway.repeat_check import Repeat, repeat_of
from framework_gateway.shown import demand, refuse_unknown, shown, unexpected

MEMBERS = ("name", "data", "opts")
REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class CheckedJob:
    """A job that can be added.

    Attributes:
        name: Its name.
        data: What JSON holds.
        options: What was asked for. Nothing is said of retention unless the client did, so that
            its options come back as it sent them.
        repeat: When it shall be added again and again; None: it is added once.
    """

    name: str
    data: Any
    options: JobOptions
    repeat: Repeat | None = None

    @property
    def parent_queue(self) -> str | None:
        """The queue of the parent that shall wait for it."""
        parent = self.options.get("parent")
        return parent.queue if isinstance(parent, ParentJob) else None


def checked_job(element: object, prefix: str) -> CheckedJob:
    """Read one job.

    Args:
        element: What JSON held.
        prefix: Of the gateway's keys: a parent is of the same.

    Raises:
        AnswerError: 400, with the first thing that is wrong.
    """
    if not isinstance(element, dict):
        raise bad_request("Job must be an object")
    name = checked_name(element.get("name"))
    if "data" not in element:
        raise bad_request("data is required")
    refuse_unknown(element, MEMBERS, unexpected())
    opts = element.get("opts")
    if opts is None:
        opts = {}
    demand("opts", opts, dict, "an object")
    refuse_unknown(opts, (*OPTIONS, REPEAT), unexpected("opts."))
    check_parent(opts, prefix)
    repeat = repeat_of(opts[REPEAT], name) if REPEAT in opts else None
    options = options_of(opts)
    check_size(name, element["data"], options.get("size_limit"))
    return CheckedJob(name, element["data"], options, repeat)


def checked_name(name: object) -> str:
    """Read the name of a job. Raises as `checked_job`."""
    if name is None or name == "":
        raise bad_request("name is required")
    if not isinstance(name, str):
        raise bad_request(f"Invalid name {shown(name)}, must be a string")
    return name


def options_of(opts: dict[str, Any]) -> JobOptions:
    """Read the options of a job. Raises as `checked_job`."""
    options = JobOptions(remove_on_complete=None, remove_on_fail=None)
    for name, given in opts.items():
        if name in OPTIONS:
            if name == "parent":
                options["on_child_failure"] = "wait"  # as in BullMQ, where nothing else is said
            ours, read = OPTIONS[name]
            options[ours] = read(name, given)  # type: ignore[literal-required]  # the table's names are JobOptions' own
    return options


def check_parent(opts: dict[str, Any], prefix: str) -> None:
    """Refuse a parent under other keys. Raises as `checked_job`."""
    parent = opts.get("parent")
    queue = parent.get("queue") if isinstance(parent, dict) else None
    if isinstance(queue, str) and queue.rpartition(":")[0] != prefix:
        raise bad_request(f"Invalid parent.queue {shown(queue)}, must begin with {prefix}:")


def check_size(name: str, data: object, limit: int | None) -> None:
    """Refuse data that takes more than its options allow. Raises as `checked_job`."""
    if limit is not None and len(to_json(data)) > limit:
        raise bad_request(f"The size of job {shown(name)} exceeds the limit {limit} bytes")


def checked_jobs(body: object, prefix: str) -> list[CheckedJob]:
    """Read many jobs: all of them, or none. Raises as `checked_job`."""
    if not isinstance(body, list):
        raise bad_request("Body must be an array")
    return [checked_job(element, prefix) for element in body]
