"""A processor is a plain class: what it does with one job is tested without Redis."""

import pytest

from framework import Job, JobId
from starter.demo import Demo, OnPurposeError
from starter.jobs import MaybeFail


def job(data: MaybeFail, *, attempts_made: int) -> Job[MaybeFail]:
    return Job(JobId("1"), "demo", "maybe-fail", data, attempts_made=attempts_made)


async def test_it_fails_as_often_as_it_is_told() -> None:
    data = MaybeFail(message="hi", fail_times=2)

    with pytest.raises(OnPurposeError, match=r"Failing on purpose \(attempt 2/2\)"):
        await Demo().maybe_fail(job(data, attempts_made=1))


async def test_then_it_succeeds() -> None:
    data = MaybeFail(message="hi", fail_times=2)

    result = await Demo().maybe_fail(job(data, attempts_made=2))

    assert result == {"okAfterRetries": "hi"}


def test_a_producer_in_node_writes_the_names_in_camel_case() -> None:
    data = MaybeFail.model_validate_json('{"message": "hi", "failTimes": 2}')

    assert data == MaybeFail(message="hi", fail_times=2)
    assert data.model_dump_json(by_alias=True) == '{"message":"hi","failTimes":2}'
