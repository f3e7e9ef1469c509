"""Registering workers that are called over HTTP: one gateway, or several on one Redis."""

import json
from datetime import timedelta
from typing import Any

import anyio
import httpx2
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from framework import Application, JobState, Queue, Redis
from framework_gateway import Channel, Gateway, Token
from tests.plugins.gateway.callback.endpoint import (
    Answer,
    Called,
    Endpoint,
    always,
    endpoint,
    of_json,
)
from tests.plugins.gateway.callback.test_answers import ended
from tests.plugins.gateway.conftest import Start, client_of
from tests.support.until import until

GOOD = {"url": "http://localhost:1/x", "method": "POST"}
GOOD_WORKER: dict[str, Any] = {"queue": "demo", "endpoint": GOOD}


def with_opts(**opts: object) -> dict[str, object]:
    return {**GOOD_WORKER, "opts": opts}


def with_endpoint(**more: object) -> dict[str, object]:
    return {"queue": "demo", "endpoint": {**GOOD, **more}}


REFUSED: list[tuple[object, str]] = [
    ([], "Body must be an object"),
    ({}, "queue is required"),
    ({"queue": "", "endpoint": GOOD}, "queue is required"),
    ({"queue": "demo"}, "endpoint is required"),
    ({"queue": "demo", "endpoint": {}}, "url is required"),
    ({"queue": "demo", "endpoint": 5}, "Invalid endpoint"),
    ({"queue": "demo", "endpoint": {"method": "POST"}}, "url is required"),
    ({"queue": "demo", "endpoint": {"url": "http://x/"}}, "method is required"),
    ({"queue": 5, "endpoint": GOOD}, "queue name must be a string"),
    ({"queue": "ab", "endpoint": GOOD}, "queue name must be at least 3 characters long"),
    ({"queue": "a" * 101, "endpoint": GOOD}, "queue name must be at most 100 characters long"),
    ({"queue": "a:bc", "endpoint": GOOD}, "queue name cannot contain :"),
    ({**GOOD_WORKER, "foo": 1}, "Invalid field: foo"),
    (with_endpoint(foo=1), "Invalid field: foo"),
    (with_endpoint(url="x"), "Invalid URL"),
    (with_endpoint(url=5), "Invalid URL"),
    (with_endpoint(url="ftp://x/"), "Invalid URL"),
    (with_endpoint(url="file:///etc/passwd"), "Invalid URL"),
    (with_endpoint(url="http://"), "Invalid URL"),
    (with_endpoint(url="http://x:99999/"), "Invalid URL"),
    (with_endpoint(url="http://user:password@x/"), "Invalid URL"),
    (with_endpoint(url="http://x/\r\nHost: y"), "Invalid URL"),
    (with_endpoint(url="http://x/ y"), "Invalid URL"),
    (with_endpoint(method="GET"), "Invalid HTTP method GET"),
    (with_endpoint(method="DELETE"), "Invalid HTTP method DELETE"),
    (with_endpoint(method=5), "Invalid HTTP method 5"),
    (with_endpoint(headers=5), "Invalid headers"),
    (with_endpoint(headers={"a": 5}), "Invalid headers"),
    (with_endpoint(headers={"a": "x\r\ny: z"}), "Invalid headers"),
    (with_endpoint(headers={"a b": "x"}), "Invalid headers"),
    (with_endpoint(headers={"Content-Length": "5"}), "Invalid headers"),
    (with_endpoint(headers={"transfer-encoding": "chunked"}), "Invalid headers"),
    (with_endpoint(timeout=0), "Invalid timeout"),
    (with_endpoint(timeout=-1), "Invalid timeout"),
    (with_endpoint(timeout="5"), "Invalid timeout"),
    (with_endpoint(timeout=1.5), "Invalid timeout"),
    ({**GOOD_WORKER, "opts": 5}, "Invalid opts"),
    (with_opts(foo=1), "Invalid field: foo"),
    (with_opts(concurrency=0), "Invalid concurrency"),
    (with_opts(concurrency=-1), "Invalid concurrency"),
    (with_opts(concurrency="x"), "Invalid concurrency"),
    (with_opts(concurrency=1001), "Invalid concurrency"),
    (with_opts(limiter=5), "Invalid limiter"),
    (with_opts(limiter={"max": 0, "duration": 1}), "Invalid limiter.max"),
    (with_opts(limiter={"duration": 1}), "Invalid limiter.max"),
    (with_opts(limiter={"max": 1, "duration": 0}), "Invalid limiter.duration"),
    (with_opts(limiter={"max": 1, "duration": "x"}), "Invalid limiter.duration"),
    (with_opts(limiter={"max": 1, "duration": 1, "foo": 1}), "Invalid field: foo"),
    (with_opts(maxStalledCount=0), "Invalid maxStalledCount"),
    (with_opts(maxStalledCount="x"), "Invalid maxStalledCount"),
    (with_opts(removeOnComplete={"count": -1}), "Invalid removeOnComplete.count"),
    (with_opts(removeOnComplete={"age": "x"}), "Invalid removeOnComplete.age"),
    (with_opts(removeOnFail={"count": 1.5}), "Invalid removeOnFail.count"),
    (with_opts(removeOnFail={"age": -1}), "Invalid removeOnFail.age"),
    (with_opts(removeOnFail={"foo": 1}), "Invalid field: foo"),
    (with_opts(removeOnFail="x"), "Invalid removeOnFail"),
]


@pytest.mark.parametrize(("body", "words"), REFUSED, ids=str)
async def test_what_is_wrong_with_a_worker_is_said_and_nothing_is_registered(
    http: httpx2.AsyncClient, body: object, words: str
) -> None:
    answer = await http.post("/workers", json=body)

    assert (answer.status_code, answer.text) == (400, words)
    assert (await http.get("/workers")).json() == {}


async def test_workers_are_registered_listed_replaced_and_removed(
    http: httpx2.AsyncClient,
) -> None:
    first = await http.post("/workers", json=GOOD_WORKER)
    listed = await http.get("/workers")
    await http.post("/workers", json=with_endpoint(url="https://localhost:2/y?z=1"))
    replaced = await http.get("/workers")
    removed = await http.delete("/workers/demo")
    again = await http.delete("/workers/demo")

    assert (first.status_code, first.text) == (200, "OK")
    assert listed.text == '{"demo":"http://localhost:1/x"}'
    assert listed.headers["content-type"] == "application/json"
    assert replaced.json() == {"demo": "https://localhost:2/y?z=1"}
    assert (removed.status_code, removed.text) == (200, "OK")
    assert (again.status_code, again.text) == (404, "Worker not found")
    assert (await http.get("/workers")).text == "{}"


async def test_the_registry_is_as_the_reference_keeps_it(
    http: httpx2.AsyncClient, app: Application, prefix: str
) -> None:
    redis = await app.get(Redis)
    await http.post("/workers", json=with_opts(concurrency=2))
    await http.delete("/workers/demo")
    await http.post("/workers", json=GOOD_WORKER)

    stored = await redis.command("HGETALL", f"workers-{prefix}")
    told = await redis.command("XRANGE", f"changes-{prefix}", "-", "+")

    assert {queue.decode(): json.loads(one) for queue, one in stored.items()} == {
        "demo": GOOD_WORKER
    }
    assert [fields for _, fields in told] == [{b"worker": b"demo"}] * 3


async def test_a_worker_runs_as_many_jobs_at_once_as_it_says(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    enough = anyio.Event()

    async def wait(_: Called) -> Answer:
        if served.at_once == 3:
            enough.set()
        await enough.wait()
        return of_json(1)

    async with endpoint(wait) as served:
        await http.post("/workers", json=served.record(concurrency=3))
        jobs = await queue.add_bulk(("n", n) for n in range(9))
        for job in jobs:
            await ended(queue, job)

    assert served.most_at_once == 3
    assert (await queue.counts())[JobState.COMPLETED] == 9


async def test_a_limiter_lets_no_more_jobs_start(http: httpx2.AsyncClient, queue: Queue) -> None:
    async with endpoint(always(of_json(1))) as served:
        limiter = {"max": 2, "duration": 60_000}
        await http.post("/workers", json=served.record(concurrency=5, limiter=limiter))
        await queue.add_bulk(("n", n) for n in range(5))

        async def two_are_done() -> bool:
            return (await queue.counts())[JobState.COMPLETED] == 2

        await until(two_are_done)

    assert len(served.calls) == 2
    assert await queue.rate_limit_ttl() > timedelta(0)


async def test_its_own_retention_counts_where_a_job_says_nothing(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    async with endpoint(always(of_json(1))) as served:
        record = served.record(removeOnComplete={"count": 1}, removeOnFail=True)
        await http.post("/workers", json=record)
        added = await http.post(
            "/queues/demo/jobs", json=[{"name": "n", "data": n} for n in (1, 2)]
        )
        last = await queue.job(added.json()[-1]["id"])
        assert last is not None
        await ended(queue, last)

    assert [job.id for job in await queue.jobs("completed")] == ["2"]


async def test_the_token_opens_progress_and_log_while_the_call_runs_and_not_after(
    http: httpx2.AsyncClient, queue: Queue, start: Start
) -> None:
    gateway = await start()
    told: list[tuple[int, str]] = []

    async def report(called: Called) -> Answer:
        at, key = "/queues/demo/jobs/1", called.said["token"]
        async with client_of(gateway, key) as mine:
            for path, value in (("progress", {"half": True}), ("logs", "a row")):
                answer = await mine.post(f"{at}/{path}", json=value)
                told.append((answer.status_code, answer.text))
        return of_json(key)

    async with endpoint(report) as served:
        await http.post("/workers", json=served.record())
        job = await ended(queue, await queue.add("n"))
        async with client_of(gateway, str(job.result)) as late:
            after = await late.post("/queues/demo/jobs/1/progress", json=100)

    assert told == [(200, "OK"), (200, "OK")]
    assert job.progress == {"half": True}
    assert await queue.logs("1") == ["a row"]
    assert (after.status_code, after.text) == (401, "Unauthorized")


async def test_a_worker_registered_at_one_gateway_runs_at_all_and_survives_them(
    start: Start, queue: Queue
) -> None:
    one, two = await start(), await start()
    async with endpoint(always(of_json("done"))) as served, client_of(one) as http:
        await http.post("/workers", json=served.record())
        await until(two.hub.callbacks.told)
        await one.close()
        first = await ended(queue, await queue.add("n"))
        await two.close()
        three = await start()
        second = await ended(queue, await queue.add("n"))
        async with client_of(three) as last:
            await last.delete("/workers/demo")
            assert three.hub.callbacks.told() == []

    assert (first.result, second.result) == ("done", "done")


async def test_ten_workers_registered_at_once_all_run_at_all_gateways(start: Start) -> None:
    gateways = [await start() for _ in range(3)]
    clients = [client_of(gateway) for gateway in gateways]

    async def register(number: int) -> None:
        record = {**GOOD_WORKER, "queue": f"queue-{number}"}
        answer = await clients[number % 3].post("/workers", json=record)
        assert answer.status_code == 200
        here = gateways[number % 3].hub.callbacks.told()
        assert f"queue-{number}" in {one["queue"] for one in here}

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(register, number)
    for gateway in gateways:
        await until(lambda: len(gateway.hub.callbacks.told()) == 10, timeout=15)  # noqa: B023
    for client in clients:
        await client.aclose()


async def test_a_worker_is_replaced_everywhere_and_its_calls_end(
    start: Start, queue: Queue
) -> None:
    one, two = await start(), await start()
    go_on = anyio.Event()

    async def slow(_: Called) -> Answer:
        await go_on.wait()
        return of_json("old")

    async with (
        endpoint(slow) as old,
        endpoint(always(of_json("new"))) as new,
        client_of(one) as http,
    ):
        await http.post("/workers", json=old.record(timeout=60_000))
        begun = await queue.add("n")
        await until(lambda: old.calls)
        await http.post("/workers", json=new.record())
        await until(lambda: is_called(one, new) and is_called(two, new))
        jobs = [await ended(queue, await queue.add("n")) for _ in range(5)]
        go_on.set()
        first = await ended(queue, begun)

    assert [job.result for job in jobs] == ["new"] * 5
    assert first.result == "old"
    assert len(old.calls) == 1


def is_called(gateway: Gateway, served: Endpoint) -> bool:
    """Tell whether a gateway calls this endpoint, and no other."""
    told = [one["url"] for one in gateway.hub.callbacks.told()]
    return told == [served.url.partition("?")[0]]


async def test_a_gateway_whose_line_was_cut_still_hears_of_workers(
    start: Start, app: Application
) -> None:
    redis = await app.get(Redis)
    one, two = await start(), await start()
    clients = (await redis.command("CLIENT", "LIST")).decode().splitlines()
    for client in clients:
        if "cmd=xread" in client:
            await redis.command("CLIENT", "KILL", "ID", client.partition("id=")[2].split()[0])

    async with client_of(one) as http:
        await http.post("/workers", json=GOOD_WORKER)

    await until(two.hub.callbacks.told)


async def test_a_worker_is_among_those_that_are_listed(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    await http.post("/workers", json=GOOD_WORKER)
    listed = await until(queue.workers)

    await http.delete("/workers/demo")

    async def is_gone() -> bool:
        return not await queue.workers()

    assert len(listed) == 1
    await until(is_gone)


async def test_a_bad_record_is_logged_and_passed_over(
    start: Start, app: Application, queue: Queue, prefix: str
) -> None:
    redis = await app.get(Redis)
    bad: dict[str, str | bytes] = {
        "broken": b"{bad",
        "concurrent": json.dumps({**GOOD_WORKER, "opts": {"concurrency": 0}}),
        "elsewhere": json.dumps(GOOD_WORKER),
        "binary": b"\xff\x00",
    }
    async with endpoint(always(of_json("done"))) as served:
        record = json.dumps(served.record())
        for field, stored in {**bad, "demo": record}.items():
            await redis.command("HSET", f"workers-{prefix}", field, stored)
        with capture_logs() as logs:
            gateway = await start()
        job = await ended(queue, await queue.add("n"))
        async with client_of(gateway) as http:
            listed = (await http.get("/workers")).json()
            await http.post("/workers", json={**GOOD_WORKER, "queue": "broken"})
            assert {one["queue"] for one in gateway.hub.callbacks.told()} == {"broken", "demo"}

    assert job.result == "done"
    assert listed == {"demo": served.url, "elsewhere": GOOD["url"]}
    passed_over = {log["queue"] for log in logs if log["log_level"] == "error"}
    assert passed_over == set(bad)


async def test_a_job_whose_gateway_stops_is_given_back_and_called_again(
    start: Start, queue: Queue
) -> None:
    async def hang_once(called: Called) -> Answer:
        if called.job["attemptsStarted"] == 1:
            await anyio.sleep_forever()
        return of_json("done")

    async with endpoint(hang_once) as served:
        one = await start(grace_period=0.2)
        async with client_of(one) as http:
            await http.post("/workers", json=served.record(timeout=60_000))
            job = await queue.add("n")
            await until(lambda: served.calls)
            await one.close()
        await start()
        done = await ended(queue, job)

    assert done.result == "done"
    assert done.attempts_made == 1
    assert [call.job["attemptsMade"] for call in served.calls] == [0, 0]


async def test_what_the_list_does_not_allow_is_not_called(start: Start, queue: Queue) -> None:
    gateway = await start(endpoint_allow="api.example.com, 10.0.0.0/8")
    async with endpoint(always(of_json(1))) as served, client_of(gateway) as http:
        literal = await http.post("/workers", json=served.record())
        by_name = served.record()
        by_name["endpoint"] = {"url": f"http://localhost:{served.port}/", "method": "POST"}
        named = await http.post("/workers", json=by_name)
        job = await ended(queue, await queue.add("n"))

    assert (literal.status_code, literal.text) == (400, "Invalid URL: its host is not allowed")
    assert named.status_code == 200
    assert job.failed_reason == "localhost is not allowed: ENDPOINT_ALLOW does not have it"
    assert served.calls == []


@pytest.mark.parametrize("allow", ["127.0.0.0/8", "local*", "127.0.0.1,::1"])
async def test_what_the_list_allows_is_called(start: Start, queue: Queue, allow: str) -> None:
    gateway = await start(endpoint_allow=allow)
    async with endpoint(always(of_json("done"))) as served, client_of(gateway) as http:
        record = served.record()
        record["endpoint"] = {"url": f"http://localhost:{served.port}/", "method": "POST"}
        await http.post("/workers", json=record)
        job = await ended(queue, await queue.add("n"))

    assert job.result == "done"


async def test_a_token_of_one_queue_registers_and_sees_its_own_alone(start: Start) -> None:
    mine = Token(SecretStr("mine"), queues=("mail*",), channels=(Channel.CALLBACK,))
    gateway = await start("all", mine)
    async with client_of(gateway, "all") as all_, client_of(gateway, "mine") as http:
        await all_.post("/workers", json=GOOD_WORKER)
        other = await http.post("/workers", json=GOOD_WORKER)
        own = await http.post("/workers", json={**GOOD_WORKER, "queue": "mail-1"})
        seen = (await http.get("/workers")).json()
        removed = await http.delete("/workers/demo")

    assert (other.status_code, own.status_code, removed.status_code) == (403, 200, 403)
    assert set(seen) == {"mail-1"}
