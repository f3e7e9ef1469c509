"""What callers without a type checker give: each error names the argument and what to write."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from framework import (
    Custom,
    DeclarationError,
    Deduplication,
    Exponential,
    Fixed,
    Flow,
    FlowProducer,
    HeldJob,
    JobState,
    KeepJobs,
    Limiter,
    OptionsError,
    Queue,
    WrongStateError,
)
from tests.support.apps import Open

SECOND = timedelta(seconds=1)


class Page(BaseModel):
    url: str


@pytest.fixture
async def queue(open_app: Open) -> AsyncIterator[Queue]:
    async with open_app() as app:
        yield app.queue("demo")


PAGE = Page(url="a")


@pytest.mark.parametrize(
    ("kind", "given", "text"),
    [
        (Fixed, [1000], "backoff: its delay is a timedelta, got 1000"),
        (Exponential, [0.5], r"Write timedelta\(milliseconds=0.5\), say"),
        (Custom, ["mine", "1s"], "backoff: its delay is a timedelta, got '1s'"),
        (KeepJobs, [None, 3600], "KeepJobs: age is a timedelta, got 3600"),
        (KeepJobs, ["5"], "KeepJobs: count is a whole number, got '5'"),
        (Deduplication, ["a", 5000], "deduplication: its ttl is a timedelta, got 5000"),
        (Limiter, [10, 1000], r"Write Limiter\(max=100, duration=timedelta\(seconds=1\)"),
        (Limiter, ["10", SECOND], "is no number of jobs"),
        (Flow, [PAGE, PAGE], "children: they are a list of flows, got a Page"),
        (Flow, [PAGE, Flow(PAGE)], "children: they are a list of flows, got a Flow"),
        (Flow, [[Flow(PAGE)], [PAGE]], r"each is a Flow, got a Page. Write Flow\(parent, \["),
    ],
)
async def test_what_is_of_the_wrong_kind_is_refused_where_it_is_written(
    kind: Callable[..., object], given: list[object], text: str
) -> None:
    with pytest.raises((OptionsError, DeclarationError), match=text):
        kind(*given)


@pytest.mark.parametrize("wrong", ["a job", 5, None], ids=str)
@pytest.mark.parametrize("act", ["job", "state", "logs", "retry_job", "remove", "dependencies"])
async def test_an_id_is_text_and_no_job(queue: Queue, act: str, wrong: object) -> None:
    given = await queue.add("x") if wrong == "a job" else wrong

    with pytest.raises(OptionsError, match=r"job_id: it is text, got .* give its id: job\.id"):
        await getattr(queue, act)(given)


@pytest.mark.parametrize(
    "items",
    [[{"name": "x", "data": 1}], ["ab"], [("x",)], [("x", 1, {}, 2)]],
    ids=["as in Node", "text", "too few", "too many"],
)
async def test_a_bulk_takes_tuples_alone(queue: Queue, items: list[Any]) -> None:
    with pytest.raises(OptionsError, match=r"jobs: each is \(name, data\) or"):
        await queue.add_bulk([("good", 1), *items])

    assert not any((await queue.counts()).values())


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda queue: queue.jobs("wait"), "state: there is no 'wait'; there are: waiting, "),
        (lambda queue: queue.clean(state="done"), "state: there is no 'done'"),
        (lambda queue: queue.metrics("wait"), "state: there is no 'wait'"),
        (lambda queue: queue.clean(5000), "grace: it is a timedelta, got 5000"),
        (lambda queue: queue.rate_limit(5000), r"Write timedelta\(milliseconds=5000\), say"),
        (lambda queue: queue.set_global_rate_limit(5, 1000), "duration: it is a timedelta"),
        (lambda queue: queue.audit_flows(waiting_for=5), "waiting_for: it is a timedelta"),
        (lambda queue: queue.dependencies_page("x", "done"), "outcome: there is no 'done'; there"),
        (lambda queue: queue.deduplication_job_id(5), "deduplication: its id is text"),
        (lambda queue: queue.remove_deduplication_key(""), "deduplication: its id is text"),
        (lambda queue: queue.retry_jobs(until=5), "until: it is a datetime, got 5"),
        (lambda queue: queue.next_job("t", lock_duration=5), "lock_duration: it is a timedelta"),
        (lambda queue: queue.next_job("t", lock_duration=-SECOND), "lock_duration: it is at lea"),
        (lambda queue: queue.result("x", timeout=5), "timeout: it is a timedelta, got 5"),
        (lambda queue: queue.result(5), "job_id: it is text, got 5"),
        (lambda queue: queue.jobs("waiting", 0, "x"), "stop: it is a whole number, got 'x'"),
        (lambda queue: queue.jobs("waiting", 0.5), "start: it is a whole number, got 0.5"),
        (lambda queue: queue.logs("1", "a"), "start: it is a whole number, got 'a'"),
        (lambda queue: queue.logs("1", 0, None), "stop: it is a whole number, got None"),
        (lambda queue: queue.metrics("failed", "a"), "start: it is a whole number, got 'a'"),
        (lambda queue: queue.job_schedulers("x"), "start: it is a whole number, got 'x'"),
        (lambda queue: queue.counts_per_priority(1, "high"), "priorities: it is a whole number"),
        (lambda queue: queue.dependencies_page("x", "failed", cursor="0"), "cursor: it is a wh"),
        (lambda queue: queue.add("x", lifo="yes"), "lifo: it is True or False, got 'yes'"),
        (lambda queue: queue.add("x", timestamp=5), "timestamp: it is a datetime, got 5"),
        (lambda queue: queue.add("x", backoff=1000), r"Write Exponential\("),
        (lambda queue: queue.add("x", remove_on_fail=5), r"Write KeepJobs\("),
    ],
)
async def test_a_queue_refuses_what_is_of_the_wrong_kind(
    queue: Queue, act: Callable[[Queue], Awaitable[object]], text: str
) -> None:
    with pytest.raises(OptionsError, match=text):
        await act(queue)


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda job: job.complete(fetch_next="0"), "token: it is text"),
        (lambda job: job.complete(fetch_next=""), "token: it is text"),
        (lambda job: job.extend_lock(5), "duration: it is a timedelta"),
        (lambda job: job.delay_for(5), "delay: it is a timedelta"),
        (lambda job: job.delay_until("noon"), "delay: it is a datetime, got 'noon'"),
        (lambda job: job.rate_limit(5), "rate_limit: it is a timedelta"),
        (lambda job: job.fail(None), "error: it is an exception or text, got None"),
        (lambda job: job.retry(5), "error: it is an exception or text, got 5"),
    ],
)
async def test_a_job_stays_held_by_who_ends_it_wrongly(
    queue: Queue, act: Callable[[HeldJob], Awaitable[object]], text: str
) -> None:
    await queue.add("x")
    held = await queue.next_job("mine")
    assert held is not None

    with pytest.raises(OptionsError, match=text):
        await act(held)

    assert await queue.state(held.id) is JobState.ACTIVE
    await held.complete()


async def test_what_is_no_flow_is_not_added(open_app: Open) -> None:
    async with open_app() as app:
        flows: FlowProducer = await app.get(FlowProducer)
        with pytest.raises(OptionsError, match="flow: it is a Flow, got a Page"):
            await flows.add(Page(url="a"))  # type: ignore[arg-type]  # that is the point
        with pytest.raises(OptionsError, match="depth: it is a whole number, got 'all'"):
            await flows.get_flow("demo", "1", depth="all")  # type: ignore[arg-type]  # the same


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda queue, job_id: queue.promote_job(job_id), "is not delayed"),
        (lambda queue, job_id: queue.change_delay(job_id, SECOND), "is not delayed"),
        (lambda queue, job_id: queue.retry_job(job_id), "has neither completed nor failed"),
    ],
)
async def test_a_job_in_another_state_says_which_one_it_should_be_in(
    queue: Queue, act: Callable[[Queue, str], Awaitable[object]], text: str
) -> None:
    job = await queue.add("x")

    with pytest.raises(WrongStateError, match=f'^job 1 of queue "demo" {text}$'):
        await act(queue, job.id)
