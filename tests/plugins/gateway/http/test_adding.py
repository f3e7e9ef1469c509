"""Adding jobs over HTTP: what is answered, and each thing that is refused, with its words."""

import json
from typing import Any

import httpx2
import pytest

from framework import JobState, ParentJob, Queue

AT = "/queues/demo/jobs"
JSON = "application/json"


async def add(http: httpx2.AsyncClient, *jobs: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await http.post(AT, json=jobs)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == JSON
    added: list[dict[str, Any]] = answer.json()
    return added


async def test_a_job_just_added_is_answered_as_the_reference_answers_it(
    http: httpx2.AsyncClient, prefix: str
) -> None:
    opts = {"attempts": 3, "delay": 0, "backoff": {"type": "fixed", "delay": 10}}

    (job,) = await add(http, {"name": "paint", "data": {"a": 1}, "opts": opts})

    timestamp = job.pop("timestamp")
    assert timestamp > 1_700_000_000_000
    assert job == {
        "id": "1",
        "name": "paint",
        "data": {"a": 1},
        "opts": opts,
        "progress": 0,
        "returnvalue": None,
        "stacktrace": None,
        "delay": 0,
        "priority": 0,
        "attemptsStarted": 0,
        "attemptsMade": 0,
        "stalledCounter": 0,
        "queueQualifiedName": f"{prefix}:demo",
    }


async def test_a_job_without_options_comes_back_byte_for_byte(
    http: httpx2.AsyncClient, prefix: str
) -> None:
    answer = await http.post(AT, content=b'[{"name":"paint","data":{"a":1},"opts":{"attempts":2}}]')

    timestamp = answer.json()[0]["timestamp"]
    assert answer.text == (
        '[{"name":"paint","data":{"a":1},"opts":{"attempts":2},"id":"1","progress":0,'
        '"returnvalue":null,"stacktrace":null,"priority":0,"attemptsStarted":0,"attemptsMade":0,'
        f'"stalledCounter":0,"timestamp":{timestamp},"queueQualifiedName":"{prefix}:demo"}}]'
    )


async def test_jobs_are_answered_in_the_order_in_which_they_were_sent(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    added = await add(http, *({"name": f"n{n}", "data": n} for n in range(300)))

    assert [(job["id"], job["name"], job["data"]) for job in added] == [
        (str(n + 1), f"n{n}", n) for n in range(300)
    ]
    assert (await queue.counts())[JobState.WAITING] == 300


async def test_no_jobs_at_all_are_none(http: httpx2.AsyncClient) -> None:
    answer = await http.post(AT, json=[])

    assert (answer.status_code, answer.text) == (200, "[]")


async def test_the_gateway_says_attempts_zero_where_nothing_was_said(
    http: httpx2.AsyncClient,
) -> None:
    (job,) = await add(http, {"name": "n", "data": 1})

    assert job["opts"] == {"attempts": 0}


@pytest.mark.parametrize("data", [None, 0, False, "", [], {}, 1.5, "ü\u0000", [[[]]], 2**70])
async def test_falsy_and_odd_data_are_data(http: httpx2.AsyncClient, data: object) -> None:
    (job,) = await add(http, {"name": "n", "data": data})

    assert job["data"] == data
    assert (await http.get(f"{AT}/{job['id']}")).json()["data"] == data


@pytest.mark.parametrize(
    ("opts", "stored"),
    [
        ({"delay": 5000}, {"delay": 5000}),
        ({"priority": 2097151}, {"priority": 2097151}),
        ({"attempts": 0}, {"attempts": 0}),
        ({"attempts": 4.0}, {"attempts": 4}),
        ({"lifo": True}, {"lifo": True}),
        ({"lifo": False}, {"lifo": False}),
        ({"backoff": 500}, {"backoff": {"type": "fixed", "delay": 500}}),
        ({"backoff": 0}, {"backoff": {"type": "fixed", "delay": 0}}),
        (
            {"backoff": {"type": "exponential", "delay": 7, "jitter": 0.5}},
            {"backoff": {"type": "exponential", "delay": 7, "jitter": 0.5}},
        ),
        ({"backoff": {"type": "mine"}}, {"backoff": {"type": "mine", "delay": 0}}),
        ({"jobId": "order-7"}, {"jobId": "order-7"}),
        ({"deduplication": {"id": "x"}}, {"deduplication": {"id": "x"}}),
        (
            {"deduplication": {"id": "x", "ttl": 100, "extend": True, "replace": True}},
            {"deduplication": {"id": "x", "ttl": 100, "extend": True, "replace": True}},
        ),
        ({"removeOnComplete": True}, {"removeOnComplete": True}),
        ({"removeOnComplete": 5}, {"removeOnComplete": 5}),
        (
            {"removeOnFail": {"age": 60, "count": 3}},
            {"removeOnFail": {"age": 60, "count": 3}},
        ),
        ({"keepLogs": 3}, {"keepLogs": 3}),
        ({"stackTraceLimit": 0}, {"stackTraceLimit": 0}),
        ({"sizeLimit": 100}, {"sizeLimit": 100}),
        ({"timestamp": 1795293061106}, {"timestamp": 1795293061106}),
        (None, {}),
    ],
    ids=str,
)
async def test_each_option_is_taken_and_told_again(
    http: httpx2.AsyncClient, opts: object, stored: dict[str, Any]
) -> None:
    (job,) = await add(http, {"name": "n", "data": 1, "opts": opts})

    assert job["opts"] == {"attempts": 0, **stored}
    assert (await http.get(f"{AT}/{job['id']}")).json()["opts"] == {"attempts": 0, **stored}


ALLOWED = {"name": "n", "data": 1}
REFUSED: list[tuple[object, str]] = [
    ({"data": 1}, "name is required"),
    ({"name": "", "data": 1}, "name is required"),
    ({"name": None, "data": 1}, "name is required"),
    ({"name": 5, "data": 1}, "Invalid name 5, must be a string"),
    ({"name": ["x"], "data": 1}, 'Invalid name ["x"], must be a string'),
    ({"name": "n"}, "data is required"),
    (5, "Job must be an object"),
    (None, "Job must be an object"),
    ([], "Job must be an object"),
    ({**ALLOWED, "foo": 1}, "Unexpected field: foo"),
    ({**ALLOWED, "opts": 5}, "Invalid opts 5, must be an object"),
]
OPTIONS_REFUSED: list[tuple[dict[str, object], str]] = [
    ({"foo": 1}, "Unexpected field: opts.foo"),
    ({"delay": -1}, "Invalid delay -1"),
    ({"delay": 1.5}, "Invalid delay 1.5"),
    ({"delay": "x"}, "Invalid delay x"),
    ({"delay": True}, "Invalid delay true"),
    ({"delay": None}, "Invalid delay null"),
    ({"delay": 10**30}, f"Invalid delay {10**30}"),
    ({"priority": 0}, "Invalid priority 0"),
    ({"priority": 2097152}, "Invalid priority 2097152"),
    ({"priority": -3}, "Invalid priority -3"),
    ({"priority": "high"}, "Invalid priority high"),
    ({"attempts": -1}, "Invalid attempts -1"),
    ({"attempts": "x"}, "Invalid attempts x"),
    ({"attempts": 0.5}, "Invalid attempts 0.5"),
    ({"backoff": -5}, "Invalid backoff delay -5, must be greater than 0"),
    ({"backoff": "x"}, "Invalid backoff x, must be a number or an object"),
    ({"backoff": True}, "Invalid backoff true, must be a number or an object"),
    (
        {"backoff": {}},
        "Invalid backoff {}, must be a number or an object with at least the type field",
    ),
    ({"backoff": {"type": "fixed", "foo": 1}}, "Unexpected field: opts.foo"),
    (
        {"backoff": {"type": "custom", "delay": 1}},
        'Invalid backoff type custom, must be "fixed" or "exponential" if delay is provided',
    ),
    (
        {"backoff": {"type": "fixed", "delay": "x"}},
        "Invalid backoff delay x, must be a number",
    ),
    (
        {"backoff": {"type": "exponential", "delay": -1}},
        "Invalid backoff delay -1, must be greater than 0",
    ),
    (
        {"backoff": {"type": "fixed", "jitter": 2}},
        "Invalid backoff jitter 2, must be between 0 and 1",
    ),
    ({"lifo": "x"}, "Invalid lifo x, must be a boolean"),
    ({"lifo": 1}, "Invalid lifo 1, must be a boolean"),
    ({"jobId": 12}, "Invalid jobId 12, must be a string"),
    ({"jobId": "12"}, "Custom Id cannot be integers"),
    ({"jobId": "-12"}, "Custom Id cannot be integers"),
    ({"jobId": "a:b"}, "Custom Id cannot contain :"),
    ({"deduplication": {"id": 5}}, "Invalid deduplication.id 5, must be a string"),
    ({"deduplication": {}}, "Invalid deduplication.id undefined, must be a string"),
    ({"deduplication": 5}, "Invalid deduplication 5, must be an object"),
    (
        {"deduplication": {"id": "x", "ttl": "x"}},
        "Invalid deduplication.ttl x, must be a number",
    ),
    (
        {"deduplication": {"id": "x", "ttl": 0}},
        "Invalid deduplication.ttl 0, must be greater than 0",
    ),
    (
        {"deduplication": {"id": "x", "foo": 0}},
        "Unexpected field: opts.deduplication.foo",
    ),
    (
        {"removeOnComplete": "x"},
        "Invalid removeOnComplete x, must be a boolean, a number or an object",
    ),
    ({"removeOnComplete": {"count": -1}}, "Invalid removeOnComplete.count -1"),
    ({"removeOnFail": {"age": "x"}}, "Invalid removeOnFail.age x"),
    ({"removeOnFail": {"foo": 1}}, "Unexpected field: opts.removeOnFail.foo"),
    ({"keepLogs": -1}, "Invalid keepLogs -1"),
    ({"stackTraceLimit": "x"}, "Invalid stackTraceLimit x"),
    ({"sizeLimit": 2.5}, "Invalid sizeLimit 2.5"),
    ({"timestamp": -1}, "Invalid timestamp -1"),
    ({"parent": {"id": 1}}, "Invalid parent.id 1, must be a string"),
    ({"parent": {"id": "1"}}, "Invalid parent.queue undefined, must be a string"),
    ({"repeat": {}}, "repeat must have either every or pattern"),
    ({"repeat": {"every": 0}}, "Invalid repeat.every 0"),
    ({"repeat": {"every": 5, "foo": 0}}, "Unexpected field: repeat.foo"),
]


@pytest.mark.parametrize(
    ("job", "words"),
    [*REFUSED, *(({**ALLOWED, "opts": opts}, words) for opts, words in OPTIONS_REFUSED)],
    ids=str,
)
async def test_what_is_wrong_with_a_job_is_said_and_nothing_is_added(
    http: httpx2.AsyncClient, queue: Queue, job: object, words: str
) -> None:
    answer = await http.post(AT, content=json.dumps([ALLOWED, job, ALLOWED]))

    assert (answer.status_code, answer.text) == (400, words)
    assert answer.headers["content-type"].startswith("text/plain")
    assert sum((await queue.counts()).values()) == 0


async def test_who_asks_for_json_is_refused_in_json(http: httpx2.AsyncClient) -> None:
    answer = await http.post(AT, json=[{}], headers={"Accept": f"text/html, {JSON}"})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == JSON
    assert answer.json() == {"error": {"message": "name is required", "code": "EARGS"}}


@pytest.mark.parametrize("body", ["{}", "5", "null", '"x"'])
async def test_a_body_must_be_an_array(http: httpx2.AsyncClient, body: str) -> None:
    answer = await http.post(AT, content=body)

    assert (answer.status_code, answer.text) == (400, "Body must be an array")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[", b"[1,]", b"{bad", b"[NaN]", b"[Infinity]", b"[1e999]", b'["\\ud800"]',
        b'["\xff\xfe"]', b"[" * 100_000, b"[" + b"9" * 400 + b".0]", b"\x00",
    ],
)  # fmt: skip
async def test_what_is_no_json_is_a_clients_mistake(http: httpx2.AsyncClient, body: bytes) -> None:
    answer = await http.post(AT, content=body, headers={"Accept": JSON})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "EPARSE"
    assert answer.json()["error"]["message"].startswith("Invalid JSON: ")


async def test_an_error_does_not_send_back_what_was_sent(http: httpx2.AsyncClient) -> None:
    opts = {"delay": "x" * 100_000, "y" * 100_000: 1}

    answer = await http.post(AT, json=[{**ALLOWED, "opts": {"delay": opts["delay"]}}])
    other = await http.post(AT, json=[{**ALLOWED, "opts": opts}])

    assert len(answer.text) < 200
    assert len(other.text) < 200


async def test_data_larger_than_its_limit_is_refused_with_all_the_others(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    large = {"name": "n", "data": "x" * 99, "opts": {"sizeLimit": 100}}

    answer = await http.post(AT, json=[*([ALLOWED] * 2000), large])

    assert answer.status_code == 400
    assert answer.text == "The size of job n exceeds the limit 100 bytes"
    assert sum((await queue.counts()).values()) == 0


async def test_a_second_job_of_an_id_answers_the_first(
    http: httpx2.AsyncClient, queue: Queue
) -> None:
    one = {"name": "n", "data": 1, "opts": {"jobId": "only"}}

    added = await add(http, one, {**one, "data": 2})

    assert [job["id"] for job in added] == ["only", "only"]
    assert [job.data for job in await queue.jobs("waiting")] == [1]


async def test_a_child_is_added_below_its_parent(
    http: httpx2.AsyncClient, queue: Queue, prefix: str
) -> None:
    (parent,) = await add(http, {"name": "p", "data": 1, "opts": {"delay": 60_000}})
    opts = {"parent": {"id": parent["id"], "queue": f"{prefix}:demo"}}

    (child,) = await add(http, {"name": "c", "data": 2, "opts": opts})

    assert child["parentKey"] == f"{prefix}:demo:1"
    assert child["opts"]["parent"] == opts["parent"]
    found = await queue.job(child["id"])
    assert found is not None
    assert found.options["parent"] == ParentJob("1", "demo")


async def test_a_parent_under_other_keys_is_refused(http: httpx2.AsyncClient, prefix: str) -> None:
    opts = {"parent": {"id": "1", "queue": "other:demo"}}

    answer = await http.post(AT, json=[{**ALLOWED, "opts": opts}])

    assert answer.status_code == 400
    assert answer.text == f"Invalid parent.queue other:demo, must begin with {prefix}:"


async def test_a_repeated_job_becomes_a_schedule(http: httpx2.AsyncClient, queue: Queue) -> None:
    opts = {"repeat": {"pattern": "0 9 * * *", "tz": "Europe/Rome", "limit": 3}}

    (run,) = await add(http, {"name": "report", "data": {"x": 1}, "opts": opts})

    (schedule,) = await queue.job_schedulers()
    assert (schedule.id, schedule.pattern, schedule.limit) == ("report", "0 9 * * *", 3)
    assert run["id"].startswith("repeat:report:")
    assert run["data"] == {"x": 1}


async def test_a_repeated_job_is_added_alone(http: httpx2.AsyncClient, queue: Queue) -> None:
    answer = await http.post(AT, json=[ALLOWED, {**ALLOWED, "opts": {"repeat": {"every": 1000}}}])

    assert (answer.status_code, answer.text) == (400, "A job with opts.repeat must be added alone")
    assert sum((await queue.counts()).values()) == 0
