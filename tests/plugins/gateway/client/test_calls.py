"""A client calls functions of a queue."""

from datetime import timedelta

import anyio
import pytest

from framework import JobState, PayloadError, Queue
from framework_gateway import (
    Gateway,
    GatewayAnswerError,
    GatewayClient,
    GatewayRefusedError,
)
from tests.plugins.gateway.client.conftest import WRONG, client_at
from tests.plugins.gateway.client.line import Line


async def test_a_queue_is_used_in_its_own_words(client: GatewayClient, queue: Queue) -> None:
    demo = client.queue("demo")

    await demo.pause()
    first = await demo.add("pack", {"parcel": 1}, attempts=3, delay=timedelta(hours=1))
    more = await demo.add_bulk([("pack", 2), ("pack", 3, {"priority": 5})])
    paused, counts = await demo.is_paused(), await demo.counts()
    await demo.promote_job(first.id)
    found = await demo.job(first.id)
    await queue.add_log(first.id, "row")

    assert found is not None
    assert (found.name, found.data, found.attempts) == ("pack", {"parcel": 1}, 3)
    assert (paused, counts["delayed"]) == (True, 1)
    assert [job.data for job in more] == [2, 3]
    assert await demo.state(more[1].id) is JobState.PRIORITIZED
    assert await demo.logs(first.id) == ["row"]
    assert {job.id for job in await demo.jobs()} == {"1", "2", "3"}
    assert await demo.remove(first.id)
    assert await demo.job(first.id) is None
    await demo.resume()
    await demo.drain()
    assert sum((await queue.counts()).values()) == 0


async def test_jobs_that_ended_are_cleaned_or_run_again(
    client: GatewayClient, queue: Queue
) -> None:
    demo = client.queue("demo")
    await demo.add_bulk([("n", number) for number in range(2)])
    for reason in ("first", "second"):
        held = await queue.next_job("mine")
        assert held is not None
        await held.fail(reason)

    await demo.retry_job("1")

    assert await demo.state("1") is JobState.WAITING
    assert await demo.clean(timedelta(0), state="failed") == ["2"]


async def test_any_function_is_called_by_its_name(client: GatewayClient) -> None:
    demo = client.queue("demo")

    await demo.call("upsertJobScheduler", "nightly", {"every": 60_000}, {"name": "sweep"})
    (scheduler,) = await demo.call("getJobSchedulers")

    assert scheduler["name"] == "sweep"


async def test_many_calls_at_once_get_each_its_own_answer(
    client: GatewayClient, line: Line
) -> None:
    demo, answers = client.queue("demo"), dict[int, object]()

    async def add(number: int) -> None:
        answers[number] = (await demo.add("n", number)).data

    async with anyio.create_task_group() as tasks:
        for number in range(200):
            tasks.start_soon(add, number)

    assert answers == {number: number for number in range(200)}
    assert line.opened == 1


async def test_an_error_is_raised_with_its_code_and_message(client: GatewayClient) -> None:
    demo = client.queue("demo")

    with pytest.raises(GatewayAnswerError) as refused:
        await demo.call("add", "n", 1, {"attempts": -1})
    with pytest.raises(GatewayAnswerError) as unknown:
        await demo.call("nothing")
    with pytest.raises(GatewayAnswerError, match="EJOB"):
        await demo.retry_job("no-such-job")

    assert (refused.value.code, refused.value.message) == ("EARGS", "Invalid attempts -1")
    assert (unknown.value.fn, unknown.value.code) == ("nothing", "EFN")
    assert str(unknown.value) == "nothing: there is no such function (EFN)"


@pytest.mark.parametrize("data", [float("nan"), {1, 2}.__iter__, "\ud800"])
async def test_what_json_cannot_hold_is_not_sent(
    client: GatewayClient, queue: Queue, data: object
) -> None:
    with pytest.raises(PayloadError, match="JSON cannot hold it"):
        await client.queue("demo").add("n", data)

    assert (await queue.counts())[JobState.WAITING] == 0


async def test_what_the_gateway_cannot_read_fails_its_call(client: GatewayClient) -> None:
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]

    with pytest.raises(GatewayAnswerError, match="EPARSE"):
        await client.queue("demo").add("n", deep)


async def test_a_wrong_token_is_told_from_trouble_and_not_tried_again(line: Line) -> None:
    async with client_at(line.url, token=WRONG) as client:
        demo = client.queue("demo")

        with pytest.raises(GatewayRefusedError) as refused:
            await demo.counts()
        with pytest.raises(GatewayRefusedError):
            await demo.counts()

    assert (refused.value.code, refused.value.reason) == (401, "Unauthorized")
    assert WRONG not in str(refused.value)
    assert line.opened == 1


async def test_a_name_that_no_queue_can_have_is_refused(client: GatewayClient) -> None:
    with pytest.raises(GatewayRefusedError, match=r"400.*at least 3") as refused:
        await client.queue("q").counts()

    assert refused.value.code == 400


async def test_a_revoked_token_fails_all_calls_and_is_not_tried_again(
    gateway: Gateway, client: GatewayClient, line: Line
) -> None:
    demo = client.queue("demo")
    await demo.counts()

    async def ask_on() -> None:
        with anyio.fail_after(10):
            while True:
                await demo.counts()

    gateway.revoke("right-key")
    with pytest.raises(GatewayRefusedError) as revoked:
        await ask_on()

    assert revoked.value.code == 4000
    assert line.opened == 1


async def test_an_error_inside_its_block_comes_out_as_it_is(client: GatewayClient) -> None:
    with pytest.raises(KeyError):
        async with client_at("ws://127.0.0.1:1"):
            raise KeyError
