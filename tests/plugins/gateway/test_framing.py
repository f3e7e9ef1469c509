"""Messages of the Queue channel: what is one, how answers are worded, and in which order."""

import json

import pytest

from framework import Queue
from framework_gateway import Gateway
from tests.plugins.gateway.clients import client
from tests.plugins.gateway.conftest import Start
from tests.support.until import until


async def test_a_request_and_its_answer_are_as_the_protocol_has_them(
    gateway: Gateway, prefix: str
) -> None:
    async with client(gateway, "/queue/probews") as asks:
        await asks.send('{"id":1,"data":{"fn":"add","args":["paint",{"a":1},{"attempts":2}]}}')
        text = await asks.text()

    timestamp = json.loads(text)["data"]["ok"]["timestamp"]
    assert text == (
        '{"id":1,"data":{"ok":{"name":"paint","data":{"a":1},"opts":{"attempts":2},"id":"1",'
        '"progress":0,"returnvalue":null,"stacktrace":null,"priority":0,'
        f'"attemptsStarted":0,"attemptsMade":0,"stalledCounter":0,"timestamp":{timestamp},'
        f'"queueQualifiedName":"{prefix}:probews"}}}}}}'
    )


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ('{"id":4,"data":{"fn":"pause","args":[]}}', '{"id":4,"data":{"ok":null}}'),
        ('{"id":4,"data":{"fn":"pause"}}', '{"id":4,"data":{"ok":null}}'),
        (
            '{"id":"str-id","data":{"fn":"getJobCounts","args":[]}}',
            '{"id":"str-id","data":{"ok":{"active":0,"completed":0,"delayed":0,"failed":0,'
            '"paused":0,"prioritized":0,"waiting":0,"waiting-children":0}}}',
        ),
        ('{"id":1.5,"data":{"fn":"count"}}', '{"id":1.5,"data":{"ok":0}}'),
        ('{"id":-1,"data":{"fn":"count"},"x":1}', '{"id":-1,"data":{"ok":0}}'),
        ('{"id":"é\\"","data":{"fn":"count"}}', '{"id":"é\\"","data":{"ok":0}}'),
        (
            '{"id":123456789012345678901234567890,"data":{"fn":"count"}}',
            '{"id":123456789012345678901234567890,"data":{"ok":0}}',
        ),
        (
            '{"id":7,"data":{"fn":"bogus","args":[]}}',
            '{"id":7,"data":{"err":{"message":"there is no such function","code":"EFN",'
            '"stack":""}}}',
        ),
        (
            '{"id":8,"data":{"fn":"count","args":{}}}',
            '{"id":8,"data":{"err":{"message":"args must be an array","code":"EARGS","stack":""}}}',
        ),
        (
            '{"id":9}',
            '{"id":9,"data":{"err":{"message":"data must be an object","code":"EMESSAGE",'
            '"stack":""}}}',
        ),
    ],
)
async def test_what_is_sent_back(gateway: Gateway, sent: str, answer: str) -> None:
    async with client(gateway, "/queue/demo") as asks:
        await asks.send(sent)

        assert await asks.text() == answer


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{bad json", "EPARSE"),
        ("", "EPARSE"),
        (b"\xff\xfe", "EPARSE"),
        ('{"id":1,"data":{"fn":"add","args":["n",NaN]}}', "EPARSE"),
        ('{"id":1,"data":{"fn":"add","args":["n","\\ud800"]}}', "EPARSE"),
        ('{"id":1,"data":{"fn":"add","args":["n",1e999]}}', "EPARSE"),
        ('{"id":1,"data":' + "[" * 100_000 + "]" * 100_000 + "}", "EPARSE"),
        ("null", "EMESSAGE"),
        ("[]", "EMESSAGE"),
        ("7", "EMESSAGE"),
        ('"text"', "EMESSAGE"),
        ('{"data":{"fn":"count"}}', "EMESSAGE"),
        ('{"id":null,"data":{"fn":"count"}}', "EMESSAGE"),
        ('{"id":true,"data":{"fn":"count"}}', "EMESSAGE"),
        ('{"id":[1],"data":{"fn":"count"}}', "EMESSAGE"),
    ],
)
async def test_what_is_no_message_is_answered_and_the_connection_stays(
    gateway: Gateway, sent: str | bytes, code: str
) -> None:
    async with client(gateway, "/queue/demo") as asks:
        await asks.send(sent)
        answer = await asks.receive()

        assert answer["id"] is None
        assert (answer["data"]["err"]["code"], answer["data"]["err"]["stack"]) == (code, "")
        assert await asks.ok("count") == 0


async def test_text_that_is_no_utf8_is_answered_and_the_connection_stays(gateway: Gateway) -> None:
    async with client(gateway, "/queue/demo") as asks:
        await asks.socket.send(b"\xff\xfe", text=True)
        answer = await asks.receive()

        assert (answer["id"], answer["data"]["err"]["code"]) == (None, "EPARSE")
        assert await asks.ok("count") == 0


@pytest.mark.parametrize("data", ["null", "[]", "7", '"x"'])
async def test_data_that_is_no_object_is_answered_with_the_id(gateway: Gateway, data: str) -> None:
    async with client(gateway, "/queue/demo") as asks:
        await asks.send(f'{{"id":"mine","data":{data}}}')
        answer = await asks.receive()

    assert (answer["id"], answer["data"]["err"]["code"]) == ("mine", "EMESSAGE")


@pytest.mark.parametrize(
    "fn",
    ["constructor", "close", "__class__", "_x", "__init__", "toString", "", None, 5, ["add"], {}],
)
async def test_only_functions_of_the_table_can_be_called(gateway: Gateway, fn: object) -> None:
    async with client(gateway, "/queue/demo") as asks:
        await asks.send({"id": 1, "data": {"fn": fn, "args": []}})

        assert (await asks.data())["err"]["code"] == "EFN"


async def test_a_function_must_be_named(gateway: Gateway) -> None:
    async with client(gateway, "/queue/demo") as asks:
        await asks.send({"id": 1, "data": {}})

        assert (await asks.data())["err"]["code"] == "EFN"


async def test_a_binary_message_is_treated_like_text(gateway: Gateway) -> None:
    async with client(gateway, "/queue/demo") as asks:
        await asks.send(b'{"id":1,"data":{"fn":"count"}}')

        assert await asks.text() == '{"id":1,"data":{"ok":0}}'


async def test_a_message_in_fragments_is_one(gateway: Gateway) -> None:
    async with client(gateway, "/queue/demo") as asks:
        await asks.socket.send(iter(['{"id":1,"da', 'ta":{"fn":"count"', "}}"]))

        assert await asks.text() == '{"id":1,"data":{"ok":0}}'


async def test_ids_need_not_be_unique(gateway: Gateway) -> None:
    async with client(gateway, "/queue/demo") as asks:
        for _ in range(3):
            await asks.send({"id": 1, "data": {"fn": "count"}})

        assert [await asks.receive() for _ in range(3)] == [{"id": 1, "data": {"ok": 0}}] * 3


async def test_requests_take_effect_in_the_order_in_which_they_are_sent(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo") as asks:
        for number in range(30):
            calls = [
                ("pause", []),
                ("add", ["n", number]),
                ("getJobCounts", ["paused"]),
                ("resume", []),
                ("getJobCounts", ["waiting"]),
                ("drain", []),
            ]
            for place, (fn, args) in enumerate(calls):
                await asks.send({"id": place, "data": {"fn": fn, "args": args}})
            answers = {one["id"]: one["data"] for one in [await asks.receive() for _ in calls]}

            assert answers[2]["ok"] == {"paused": 1}
            assert answers[4]["ok"] == {"waiting": 1, "paused": 0}
    assert await queue.is_paused() is False


async def test_what_was_asked_before_the_client_left_is_done(
    gateway: Gateway, queue: Queue
) -> None:
    async with client(gateway, "/queue/demo") as asks:
        for number in range(50):
            await asks.send({"id": number, "data": {"fn": "add", "args": ["n", number]}})

    async def all_are_there() -> bool:
        return sum((await queue.counts()).values()) == 50

    await until(all_are_there, message="all were added")


async def test_a_message_too_large_closes_its_connection_alone(start: Start) -> None:
    gateway = await start(max_message_bytes=4096)

    async with client(gateway, "/queue/demo") as asks, client(gateway, "/queue/demo") as other:
        await asks.send({"id": 1, "data": {"fn": "add", "args": ["n", "x" * 3900]}})
        assert "ok" in await asks.data()
        await asks.send({"id": 2, "data": {"fn": "add", "args": ["n", "x" * 4096]}})

        assert (await asks.closed())[0] == 1009
        assert await other.ok("count") == 1


async def test_an_error_never_repeats_the_request(gateway: Gateway) -> None:
    secret = "s3cret" * 1000

    async with client(gateway, "/queue/demo") as asks:
        for args in (["n", 1, {secret: 1}], [secret, 1, {"delay": secret}], [[secret], 1]):
            await asks.send({"id": 1, "data": {"fn": "add", "args": args}})
            answer = await asks.text()

            assert len(answer) < 400, answer


async def test_a_stack_is_told_where_debug_is_on(start: Start) -> None:
    gateway = await start(debug=True)

    async with client(gateway, "/queue/demo") as asks:
        answer = await asks.call("add", 5, 1)

    assert "Traceback" in answer["err"]["stack"]
