"""Looking at queues, pausing, emptying and deleting them over HTTP."""

from datetime import timedelta

import httpx2
import pytest

from framework import Queue

ZEROS = {
    "active": 0,
    "completed": 0,
    "delayed": 0,
    "failed": 0,
    "paused": 0,
    "prioritized": 0,
    "waiting": 0,
    "waiting-children": 0,
}


async def test_a_queue_is_shown_with_its_counts(http: httpx2.AsyncClient, queue: Queue) -> None:
    await queue.add_bulk([("n", 1), ("n", 2)])

    shown = await http.get("/queues/demo")
    counts = await http.get("/queues/demo/counts")

    expected = {**ZEROS, "waiting": 2}
    assert shown.json() == {"name": "demo", "isPaused": False, "counts": expected}
    assert counts.json() == expected
    assert list(counts.json()) == list(ZEROS)


async def test_a_queue_is_paused_and_resumed(http: httpx2.AsyncClient, queue: Queue) -> None:
    await queue.add("n")

    paused = await http.post("/queues/demo/pause")
    shown = (await http.get("/queues/demo")).json()
    resumed = await http.post("/queues/demo/resume")

    assert [(one.status_code, one.text) for one in (paused, resumed)] == [(200, "OK")] * 2
    assert (shown["isPaused"], shown["counts"]) == (True, {**ZEROS, "paused": 1})
    assert not await queue.is_paused()


@pytest.mark.parametrize(
    ("body", "left"), [("", 1), ("{}", 1), ('{"delayed":false}', 1), ('{"delayed":true}', 0)]
)
async def test_a_queue_is_drained(
    http: httpx2.AsyncClient, queue: Queue, body: str, left: int
) -> None:
    await queue.add("n")
    await queue.add("n", delay=timedelta(hours=1))

    answer = await http.post("/queues/demo/drain", content=body)

    assert (answer.status_code, answer.text) == (200, "OK")
    counts = (await http.get("/queues/demo/counts")).json()
    assert counts == {**ZEROS, "delayed": left}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("drain", "[]", "Body must be an object"),
        ("drain", '{"delayed":1}', "Invalid delayed 1, must be a boolean"),
        ("drain", '{"foo":1}', "Unexpected field: foo"),
        ("clean", "[]", "Body must be an object"),
        ("clean", '{"grace":-1}', "Invalid grace -1"),
        ("clean", '{"limit":"x"}', "Invalid limit x"),
        ("clean", '{"type":"foo"}', "Invalid type foo"),
        ("clean", '{"type":[]}', "Invalid type []"),
        ("clean", '{"foo":1}', "Unexpected field: foo"),
    ],
)
async def test_what_cannot_be_is_refused(
    http: httpx2.AsyncClient, path: str, body: str, words: str
) -> None:
    answer = await http.post(f"/queues/demo/{path}", content=body)

    assert (answer.status_code, answer.text) == (400, words)


@pytest.mark.parametrize("path", ["drain", "clean"])
async def test_a_broken_body_is_refused(http: httpx2.AsyncClient, path: str) -> None:
    answer = await http.post(f"/queues/demo/{path}", content="{bad")

    assert answer.status_code == 400
    assert answer.text.startswith("Invalid JSON: ")


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"grace": 0, "limit": 100, "type": "completed"}, ["1", "2", "3"]),
        ({}, ["1", "2", "3"]),
        ({"grace": 3_600_000}, []),
        ({"type": "wait"}, ["4"]),
        ({"type": "waiting"}, ["4"]),
        ({"type": "failed"}, []),
    ],
    ids=str,
)
async def test_old_jobs_are_cleaned(
    http: httpx2.AsyncClient, queue: Queue, body: dict[str, object], ids: list[str]
) -> None:
    await queue.add_bulk(("n", n) for n in range(4))
    for number in range(3):
        held = await queue.next_job(f"token-{number}")
        assert held is not None
        await held.complete()

    answer = await http.post("/queues/demo/clean", json=body)

    assert answer.status_code == 200
    assert sorted(answer.json()) == ids


async def test_no_more_jobs_are_cleaned_than_the_limit_says(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    await queue.add_bulk(("n", n) for n in range(4))

    answer = await http.post("/queues/demo/clean", json={"type": "wait", "limit": 2})

    assert len(answer.json()) == 2


async def test_a_queue_is_deleted(http: httpx2.AsyncClient, queue: Queue) -> None:
    await queue.add("n")

    answer = await http.delete("/queues/demo")

    assert (answer.status_code, answer.text) == (200, "OK")
    assert (await http.get("/queues/demo")).json() == {
        "name": "demo",
        "isPaused": False,
        "counts": ZEROS,
    }


async def test_a_queue_whose_jobs_run_is_left_as_it_was_unless_forced(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    await queue.add("n")
    await queue.next_job("mine")

    refused = await http.delete("/queues/demo", params={"force": "false"})
    shown = (await http.get("/queues/demo")).json()
    odd = await http.delete("/queues/demo", params={"force": "perhaps"})
    forced = await http.delete("/queues/demo", params={"force": "true"})

    assert refused.status_code == 409
    assert "active jobs" in refused.text
    assert (shown["isPaused"], shown["counts"]["active"]) == (False, 1)
    assert (odd.status_code, odd.text) == (400, "Invalid force perhaps")
    assert (forced.status_code, forced.text) == (200, "OK")
