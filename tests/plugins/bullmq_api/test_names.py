"""Every public name of PyPI's ``bullmq`` is provided with its signature, or refused."""

import importlib
import inspect
import re
from collections.abc import Iterable
from typing import Any

import pytest

import framework_bullmq
from framework_bullmq import (
    connection,
    flow_producer,
    job_options,
    queue_base,
    queue_events,
    queue_events_producer,
    record,
    schedules,
    types,
    worker_options,
)
from framework_bullmq.refusals import REFUSED, REFUSED_NAMES, RefusedError, RefusedImportError
from framework_bullmq.spelling import snake
from tests.plugins.bullmq_api import peer
from tests.plugins.bullmq_api.names_of import members

PAGE = peer.REPOSITORY / "docs" / "how-to" / "migrate-from-bullmq-python.md"
ROW = re.compile(r"^\| `([\w.]+)` \| (same|better|refused) \| (.*?) \|$", re.MULTILINE)
PINNED = (peer.HERE / "bullmq.txt").read_text().split()[0].removeprefix("bullmq==")
# What is ours beyond PyPI's: BullMQ on Node has it.
MORE = {
    "Job.changeDelay", "Job.deduplicationId", "Job.extendLock", "Job.processedBy",
    "Job.waitUntilFinished", "RateLimitError", "Worker.rateLimit", "Worker.queue",
}  # fmt: skip
# Of BullMQ's dictionaries of options, what reads each here.
READ_BY: dict[str, tuple[Iterable[str], Iterable[str]]] = {
    "BackoffOptions": (job_options.BACKOFFS, ()),
    "DeduplicationOptions": (job_options.DEDUPLICATIONS, ()),
    "JobOptions": (job_options.KNOWN, job_options.REFUSED),
    "KeepJobs": (job_options.KEEPS, ()),
    "PromoteJobsOptions": (["count"], ()),
    "QueueBaseOptions": (queue_base.OPTIONS, queue_base.REFUSED),
    "QueueEventsOptions": (queue_events.OPTIONS, queue_events.REFUSED),
    "QueueEventsProducerOptions": (queue_events_producer.OPTIONS, ()),
    "RepeatOptions": (schedules.REPEAT, schedules.REFUSED),
    "RetryJobsOptions": (["state", "count", "timestamp"], ()),
    "WorkerOptions": (worker_options.OPTIONS, worker_options.REFUSED),
}
READ_ONLY = {"ConnectionOptions", "JobSchedulerJson", "JobSchedulerTemplateJson"}


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    return peer.names()


async def process(job: object, token: str) -> None: ...


def instances() -> dict[str, object]:
    """One object of each class; none connects."""
    queue = framework_bullmq.Queue("q")
    made = [
        queue,
        framework_bullmq.Job(queue, "n", {}),
        framework_bullmq.Worker("q", process, {"autorun": False}),
        framework_bullmq.FlowProducer(),
        framework_bullmq.QueueEvents("q", {"autorun": False}),
        framework_bullmq.QueueEventsProducer("q"),
        framework_bullmq.JobScheduler(queue),
        framework_bullmq.AbortController(),
        framework_bullmq.AbortController().signal,
        framework_bullmq.AbortError(),
        framework_bullmq.DelayedError(),
        framework_bullmq.UnrecoverableError(),
        framework_bullmq.WaitingChildrenError(),
    ]
    return {type(one).__name__: one for one in made}


def names_in(told: dict[str, Any]) -> set[str]:
    """All public names, the members of classes as ``Queue.add``."""
    own = set(told["names"])
    return own | {
        f"{kind}.{name}"
        for kind, members in told["members"].items()
        for name in members
        if name != "__init__"
    }


def test_the_release_that_is_compared_is_the_pinned_one(theirs: dict[str, Any]) -> None:
    assert theirs["version"] == PINNED


async def test_every_name_is_provided_or_refused(theirs: dict[str, Any]) -> None:
    ours = instances()

    titles = [(kind, name) for kind, found in theirs["members"].items() for name in found]
    is_there = {f"{kind}.{name}": hasattr(ours[kind], name) for kind, name in titles}
    is_there |= {name: is_provided(name) for name in theirs["names"]}
    refused = {*REFUSED, *REFUSED_NAMES}
    neither = [title for title, there in is_there.items() if not there and title not in refused]
    both = [title for title, there in is_there.items() if there and title in refused]

    assert (neither, both) == ([], [])


def is_provided(name: str) -> bool:
    """Tell whether the package has a name, a class or a module."""
    if name in framework_bullmq.__all__:
        return True
    try:
        importlib.import_module(f"framework_bullmq.{name}")
    except ModuleNotFoundError:
        return False
    return name not in REFUSED_NAMES


def test_what_is_refused_is_there_to_be_refused(theirs: dict[str, Any]) -> None:
    assert {*REFUSED, *REFUSED_NAMES} - names_in(theirs) == set()


async def test_what_is_refused_says_why(theirs: dict[str, Any]) -> None:
    ours = instances()
    for title, reason in REFUSED.items():
        kind, _, name = title.partition(".")
        with pytest.raises(RefusedError, match=re.escape(f"{title} is not provided: {reason}")):
            getattr(ours[kind], name)
    for name, reason in REFUSED_NAMES.items():
        with pytest.raises(RefusedImportError, match=re.escape(reason)):
            getattr(framework_bullmq, name)
    with pytest.raises(ImportError, match="cancelJob"):
        exec("from framework_bullmq import LockManager")  # noqa: S102 - as a program says it


async def test_methods_are_called_as_bullmqs_are(theirs: dict[str, Any]) -> None:
    ours = {kind: members(one) for kind, one in instances().items()}

    odd = [
        (f"{kind}.{name}", wanted, ours[kind].get(name))
        for kind, members_of in theirs["members"].items()
        for name, wanted in members_of.items()
        if wanted is not None
        and f"{kind}.{name}" not in REFUSED
        and not fits(wanted, ours[kind].get(name))
    ]

    assert odd == []


def fits(wanted: list[Any], found: list[Any] | None) -> bool:
    """Tell whether all calls that one signature takes are taken by the other.

    A default that is a dictionary may be another one: both stand for nothing.
    """
    if found is None or len(found) < len(wanted):
        return False
    for (name, kind, has_default, default), mine in zip(wanted, found, strict=False):
        if (mine[0], mine[1]) != (name, kind) or (has_default and not mine[2]):
            return False
        if has_default and mine[3] != default and "..." not in {mine[3], default}:
            return False
    return all(one[2] or one[1].startswith("VAR") for one in found[len(wanted) :])


def test_a_signature_that_takes_less_does_not_fit() -> None:
    wanted = [["a", "POSITIONAL_OR_KEYWORD", False, "..."], ["b", "POSITIONAL_OR_KEYWORD", True, 0]]

    assert fits(wanted, [*wanted, ["c", "KEYWORD_ONLY", True, None]])
    assert not fits(wanted, wanted[:1])
    assert not fits(wanted, [wanted[0], ["b", "POSITIONAL_OR_KEYWORD", True, 1]])
    assert not fits(wanted, [wanted[0], ["b", "POSITIONAL_OR_KEYWORD", False, 0]])
    assert not fits(wanted, [wanted[0], ["z", "POSITIONAL_OR_KEYWORD", True, 0]])
    assert not fits(wanted, [*wanted, ["c", "KEYWORD_ONLY", False, None]])


# What BullMQ's package does at once, and what is ours.
AT_ONCE = {
    "toKey", "sanitizeJobTypes", "on", "off", "emit", "cancelJob", "cancelAllJobs", "resume",
    "fromJSON", "hears", "of_tenant", "of_record", "run_is_over",
}  # fmt: skip


async def test_what_is_awaited_there_is_awaited_here() -> None:
    ours = instances()
    methods = [
        (f"{kind}.{name}", function)
        for kind in ("Queue", "Worker", "Job", "FlowProducer", "JobScheduler")
        for name, function in inspect.getmembers(type(ours[kind]), inspect.isfunction)
        if not name.startswith("_") and name not in {*AT_ONCE, *map(snake, AT_ONCE)}
    ]

    assert [title for title, function in methods if not inspect.iscoroutinefunction(function)] == []
    assert inspect.iscoroutinefunction(framework_bullmq.Queue.resume)


async def test_each_camel_case_name_has_a_snake_case_one() -> None:
    missing = [
        f"{kind}.{name}"
        for kind, one in instances().items()
        for name in dir(type(one))
        if not name.startswith("_")
        and name != snake(name)
        and getattr(type(one), snake(name), None) != getattr(type(one), name)
    ]
    job = instances()["Job"]
    attributes = [name for name in record.READERS if name != snake(name)]

    assert missing == []
    assert [name for name in attributes if getattr(job, snake(name)) != getattr(job, name)] == []


def test_every_option_is_read_or_refused(theirs: dict[str, Any]) -> None:
    known = {**READ_BY}
    missing = {
        kind: set(options) - set(known[kind][0]) - set(known[kind][1])
        for kind, options in theirs["types"].items()
        if kind not in READ_ONLY
    }

    assert {kind: names for kind, names in missing.items() if names} == {}
    assert {kind for kind in theirs["types"] if not hasattr(types, kind)} == set()
    assert connection.where_of(None).url == "redis://localhost:6379"
    assert {"connection", "prefix"} <= flow_producer.OPTIONS


def test_the_page_has_a_row_for_every_name(theirs: dict[str, Any]) -> None:
    rows = {name: (what, why) for name, what, why in ROW.findall(PAGE.read_text())}
    refused = {**REFUSED, **REFUSED_NAMES}

    assert set(rows) == names_in(theirs) | MORE
    wrong = [
        name
        for name, (what, why) in rows.items()
        if (what == "refused") != (name in refused) or (what == "refused" and not why)
    ]
    assert wrong == []
    assert [name for name, (what, why) in rows.items() if what == "better" and not why] == []


def test_the_page_has_a_row_for_every_option_that_is_refused() -> None:
    page = PAGE.read_text()
    refusing = {
        "a job": job_options.REFUSED,
        "Queue": queue_base.REFUSED,
        "Worker": worker_options.REFUSED,
        "QueueEvents": queue_events.REFUSED,
        "FlowProducer": flow_producer.REFUSED,
        "repeat_opts": schedules.REFUSED,
        "connection": {snake(name): why for name, why in connection.REFUSED.items()},
    }

    rows = [
        f"| {of} | `{name}` | {why} |"
        for of, known in refusing.items()
        for name, why in known.items()
    ]
    assert [row for row in rows if row not in page] == []
