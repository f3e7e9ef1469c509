"""Listing jobs, looking at one, steering and removing it over HTTP."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from framework import JobState, Queue, job_json

AT = "/queues/demo/jobs"
DEFAULT = {"waiting": 0, "active": 0, "completed": 0, "failed": 0, "paused": 0}


async def one_in_each_state(queue: Queue) -> dict[str, str]:
    """Put one job into each state; return their ids."""
    ids: dict[str, str] = {}
    for state in ("completed", "failed", "active"):
        job = await queue.add(state, state)
        held = await queue.next_job(f"token-{state}")
        assert held is not None
        if state == "completed":
            await held.complete({"ok": True})
        if state == "failed":
            await held.fail("no luck", unrecoverable=True)
        ids[state] = job.id
    ids["delayed"] = (await queue.add("delayed", 1, delay=timedelta(hours=1))).id
    ids["prioritized"] = (await queue.add("prioritized", 1, priority=3)).id
    ids["waiting"] = (await queue.add("waiting", 1)).id
    return ids


async def test_an_empty_queue_is_listed_as_the_reference_lists_it(
    http: httpx2.AsyncClient,
) -> None:
    answer = await http.get(AT)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == (
        '{"counts":{"waiting":0,"active":0,"completed":0,"failed":0,"paused":0},'
        '"jobs":[],"start":0,"length":10}'
    )


@pytest.mark.parametrize(
    ("query", "states", "counted"),
    [
        ({}, ["waiting", "active", "completed", "failed"], DEFAULT),
        ({"statuses": ""}, ["waiting", "active", "completed", "failed"], DEFAULT),
        ({"statuses": "delayed"}, ["delayed"], {"delayed": 0}),
        ({"statuses": "failed, completed"}, ["failed", "completed"], {"failed": 0, "completed": 0}),
        ({"statuses": "prioritized"}, ["prioritized"], {"prioritized": 0}),
        ({"statuses": "waiting-children"}, [], {"waiting-children": 0}),
        ({"statuses": "paused"}, [], {"paused": 0}),
        ({"statuses": "waiting"}, ["waiting"], {"waiting": 0, "paused": 0}),
    ],
    ids=str,
)
async def test_jobs_are_listed_and_counted_by_the_states_asked_for(
    http: httpx2.AsyncClient,
    queue: Queue,
    query: dict[str, str],
    states: list[str],
    counted: dict[str, int],
) -> None:
    ids = await one_in_each_state(queue)

    answer = (await http.get(AT, params=query)).json()

    assert [job["id"] for job in answer["jobs"]] == [ids[state] for state in states]
    assert answer["counts"] == {state: int(state in states) for state in counted}
    assert list(answer["counts"]) == list(counted)


async def test_jobs_come_newest_first_and_page_by_page(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    await queue.add_bulk(("n", n) for n in range(7))

    pages = [
        (await http.get(AT, params={"start": start, "length": 3})).json() for start in (0, 3, 6, 9)
    ]

    assert [[job["data"] for job in page["jobs"]] for page in pages] == [
        [6, 5, 4],
        [3, 2, 1],
        [0],
        [],
    ]
    assert [(page["start"], page["length"]) for page in pages] == [(0, 3), (3, 3), (6, 3), (9, 3)]


async def test_a_length_of_zero_gives_counts_alone(http: httpx2.AsyncClient, queue: Queue) -> None:
    await queue.add("n")

    answer = (await http.get(AT, params={"length": 0})).json()

    assert answer == {"counts": {**DEFAULT, "waiting": 1}, "jobs": [], "start": 0, "length": 0}


async def test_jobs_of_a_paused_queue_are_paused(http: httpx2.AsyncClient, queue: Queue) -> None:
    await queue.add_bulk([("n", 1), ("n", 2)])
    await queue.pause()

    listed = (await http.get(AT, params={"statuses": "waiting"})).json()
    asked = (await http.get(AT, params={"statuses": "paused"})).json()

    assert listed["counts"] == {"waiting": 0, "paused": 2}
    assert asked["counts"] == {"paused": 2}
    assert [job["data"] for job in listed["jobs"]] == [2, 1]
    assert [job["data"] for job in asked["jobs"]] == [2, 1]


PAGES: list[tuple[dict[str, str], str]] = [
    ({"start": "x"}, "Invalid start or length"),
    ({"length": "x"}, "Invalid start or length"),
    ({"start": "1.5"}, "Invalid start or length"),
    ({"length": "1e2"}, "Invalid start or length"),
    ({"length": "٣"}, "Invalid start or length"),
    ({"start": "9" * 400}, "Invalid start or length"),
    ({"start": "-1"}, "Start and length must be positive"),
    ({"length": "-1"}, "Start and length must be positive"),
    ({"length": "101"}, "Length must be less than or equal to 100"),
]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        *PAGES,
        ({"statuses": "foo"}, "Invalid status: foo"),
        ({"statuses": "wait"}, "Invalid status: wait"),
    ],
    ids=str,
)
async def test_a_page_that_cannot_be_is_refused(
    http: httpx2.AsyncClient, query: dict[str, str], words: str
) -> None:
    answer = await http.get(AT, params=query)

    assert (answer.status_code, answer.text) == (400, words)


@pytest.mark.parametrize(("query", "words"), PAGES, ids=str)
async def test_a_page_of_a_log_that_cannot_be_is_refused(
    http: httpx2.AsyncClient, queue: Queue, query: dict[str, str], words: str
) -> None:
    await queue.add("n")

    answer = await http.get(f"{AT}/1/logs", params=query)

    assert (answer.status_code, answer.text) == (400, words)


async def test_a_finished_job_is_shown_with_all_that_is_known(
    http: httpx2.AsyncClient, queue: Queue, prefix: str
) -> None:
    ids = await one_in_each_state(queue)

    done = (await http.get(f"{AT}/{ids['completed']}")).json()
    failed = (await http.get(f"{AT}/{ids['failed']}")).json()

    assert done["returnvalue"] == {"ok": True}
    assert done["finishedOn"] >= done["processedOn"] >= done["timestamp"] > 1_700_000_000_000
    assert done["attemptsMade"] == done["attemptsStarted"] == 1
    assert (done["stacktrace"], done["queueQualifiedName"]) == ([], f"{prefix}:demo")
    assert failed["failedReason"] == "no luck"
    assert len(failed["stacktrace"]) == 1


async def test_a_job_is_shown_byte_for_byte(http: httpx2.AsyncClient, queue: Queue) -> None:
    job = await queue.add("n", {"x": 12345678901234567890123, "y": 1.10})

    answer = await http.get(f"{AT}/{job.id}")

    found = await queue.job(job.id)
    assert found is not None
    assert answer.content == job_json(found)
    assert b'"x":12345678901234567890123' in answer.content


@pytest.mark.parametrize("path", ["", "/state", "/logs"])
async def test_no_job_is_not_found(http: httpx2.AsyncClient, path: str) -> None:
    for job_id in ("7", "wait", "meta", "%F0%9F%98%80", "a%2Fb"):
        answer = await http.get(f"{AT}/{job_id}{path}")

        assert (answer.status_code, answer.text) == (404, "Job not found")


async def test_the_state_of_each_job_is_told(http: httpx2.AsyncClient, queue: Queue) -> None:
    for state, job_id in (await one_in_each_state(queue)).items():
        answer = await http.get(f"{AT}/{job_id}/state")

        assert (answer.status_code, answer.json()) == (200, {"state": state})


async def test_a_log_is_shown_page_by_page(http: httpx2.AsyncClient, queue: Queue) -> None:
    await queue.add("n")
    for row in range(5):
        await queue.add_log("1", f"row {row}")

    whole = (await http.get(f"{AT}/1/logs")).json()
    page = (await http.get(f"{AT}/1/logs", params={"start": 1, "length": 2})).json()
    none = (await http.get(f"{AT}/1/logs", params={"length": 0})).json()

    assert whole == {"logs": [f"row {row}" for row in range(5)], "count": 5}
    assert page == {"logs": ["row 1", "row 2"], "count": 5}
    assert none == {"logs": [], "count": 5}


async def test_a_finished_job_is_retried_and_no_other(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    ids = await one_in_each_state(queue)
    told: dict[str, Any] = {}
    for state in ("completed", "failed", "active", "delayed", "waiting"):
        told[state] = (await http.post(f"{AT}/{ids[state]}/retry")).status_code
    none = await http.post(f"{AT}/none/retry")

    assert told == {"completed": 200, "failed": 200, "active": 409, "delayed": 409, "waiting": 409}
    assert await queue.state(ids["failed"]) is JobState.WAITING
    assert (none.status_code, none.text) == (404, "Job not found")


async def test_a_delayed_job_is_promoted_and_no_other(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    ids = await one_in_each_state(queue)

    promoted = await http.post(f"{AT}/{ids['delayed']}/promote")
    other = await http.post(
        f"{AT}/{ids['waiting']}/promote", headers={"Accept": "application/json"}
    )
    none = await http.post(f"{AT}/none/promote")

    assert (promoted.status_code, promoted.text) == (200, "OK")
    assert await queue.state(ids["delayed"]) is JobState.WAITING
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "EJOB"
    assert (none.status_code, none.text) == (404, "Job not found")


async def test_a_job_is_removed_unless_a_worker_holds_it(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    ids = await one_in_each_state(queue)

    told = {
        state: (await http.delete(f"{AT}/{job_id}")).status_code for state, job_id in ids.items()
    }
    again = await http.delete(f"{AT}/{ids['waiting']}")

    assert told == {**dict.fromkeys(ids, 200), "active": 409}
    assert (again.status_code, again.text) == (404, "Job not found")
    assert await queue.state(ids["active"]) is JobState.ACTIVE
