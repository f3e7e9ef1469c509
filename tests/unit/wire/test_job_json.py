"""A job as BullMQ words it."""

import json
from typing import Any

import pytest

from framework.model.job import Job, JobId
from framework.wire.job_hash import StoredJob
from framework.wire.job_json import data_json, job_json
from framework.wire.keys import QueueKeys
from framework.wire.payload import codec_of

ANY = codec_of(Any)


class JustAdded(StoredJob[Any, Any]):
    is_fresh = True


def job(kind: type[StoredJob[Any, Any]], **fields: str) -> StoredJob[Any, Any]:
    stored = {name.encode(): value.encode() for name, value in fields.items()}
    return kind(QueueKeys("bull", "probe"), JobId("1"), stored, (ANY, ANY))


def told(**fields: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    return json.loads(job_json(job(StoredJob, **fields)))


def test_a_fresh_job_is_worded_as_bullmq_words_it() -> None:
    fresh = job(
        JustAdded,
        name="paint",
        data='{"a":1}',
        opts='{"attempts":3,"delay":0,"backoff":{"type":"fixed","delay":10}}',
        timestamp="1795293061106",
        delay="0",
        priority="0",
    )

    assert job_json(fresh) == (
        b'{"name":"paint","data":{"a":1},"opts":{"attempts":3,"delay":0,'
        b'"backoff":{"type":"fixed","delay":10}},"id":"1","progress":0,"returnvalue":null,'
        b'"stacktrace":null,"delay":0,"priority":0,"attemptsStarted":0,"attemptsMade":0,'
        b'"stalledCounter":0,"timestamp":1795293061106,"queueQualifiedName":"bull:probe"}'
    )


def test_what_comes_later_in_life_is_told_where_it_is() -> None:
    found = told(
        name="n",
        data="null",
        opts="{}",
        timestamp="1",
        ats="2",
        atm="1",
        stc="1",
        processedOn="5",
        finishedOn="6",
        failedReason="boom",
        returnvalue='{"ok":true}',
        stacktrace='["Error: boom"]',
        progress='{"pct":50}',
        deid="once",
        rjk="nightly",
        parentKey="bull:p:7",
        parent='{"id":"7","queueKey":"bull:p"}',
    )

    assert {name: found[name] for name in ("processedOn", "finishedOn")} == {
        "processedOn": 5,
        "finishedOn": 6,
    }
    assert found["failedReason"] == "boom"
    assert found["returnvalue"] == {"ok": True}
    assert found["stacktrace"] == ["Error: boom"]
    assert found["progress"] == {"pct": 50}
    assert (found["deduplicationId"], found["repeatJobKey"]) == ("once", "nightly")
    assert (found["parentKey"], found["parent"]["id"]) == ("bull:p:7", "7")
    assert (found["attemptsStarted"], found["attemptsMade"], found["stalledCounter"]) == (2, 1, 1)


def test_options_have_their_long_names_and_none_of_ours() -> None:
    opts = '{"kl":5,"de":{"id":"x"},"fpof":true,"removeOnFail":{"age":9,"fw.atLeast":6},"fw.x":1}'

    found = told(name="n", data="1", opts=opts)["opts"]

    assert found == {
        "attempts": 0,
        "keepLogs": 5,
        "deduplication": {"id": "x"},
        "failParentOnFailure": True,
        "removeOnFail": {"age": 9},
    }


def test_numbers_keep_all_their_digits() -> None:
    written = job_json(
        job(StoredJob, name="n", data="[12345678901234567890123, 1e300, 1.10]", opts="{}")
    )

    assert b"[12345678901234567890123, 1e300, 1.10]" in written


@pytest.mark.parametrize("odd", ["not json", "[1", "NaN", ""])
def test_what_is_no_json_becomes_a_string(odd: str) -> None:
    assert told(name="n", data=odd, returnvalue=odd)["data"] == odd


@pytest.mark.parametrize("odd", ["[]", "x"])
def test_options_that_cannot_be_read_are_none(odd: str) -> None:
    assert told(name="n", data="1", opts=odd)["opts"] == {"attempts": 0}


def test_a_payload_is_told_as_it_stands() -> None:
    assert data_json(job(StoredJob, name="n", data="[1.10]", opts="{}")) == b"[1.10]"


def test_a_job_made_by_hand_is_refused() -> None:
    with pytest.raises(TypeError, match="made by hand"):
        data_json(Job(JobId("1"), "demo", "n", None))
    with pytest.raises(TypeError, match="made by hand"):
        job_json(Job(JobId("1"), "demo", "n", None))
