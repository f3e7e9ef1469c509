"""Which key says where a command goes."""

import pytest

from framework.store.address import Place
from framework.store.cluster import key_of
from framework.store.cluster_map import place_in


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (("HGETALL", "{q}:1"), "{q}:1"),
        (("get", b"{q}:1"), "{q}:1"),
        (("EVALSHA", "abc", 2, "{q}:wait", "{q}:active", 1), "{q}:wait"),
        (("XREAD", "COUNT", 1, "BLOCK", 5, "STREAMS", "{q}:events", "0"), "{q}:events"),
        (("SCAN", 0, "MATCH", "{q}:*", "COUNT", 10), "{q}:*"),
        (("XINFO", "STREAM", "{q}:events"), "{q}:events"),
        (("CLIENT", "ID"), None),
        (("PING",), None),
    ],
)
def test_a_command_goes_to_the_node_of_its_key(
    command: tuple[str | bytes | int, ...], key: str | None
) -> None:
    assert key_of(command) == key


def test_a_node_without_a_name_is_where_the_answer_came_from() -> None:
    asked = Place("redis.internal", 7000)

    assert place_in([b"", 7001, b"id"], asked) == Place("redis.internal", 7001)
    assert place_in([None, 7001, b"id"], asked) == Place("redis.internal", 7001)
    assert place_in([b"10.0.0.2", 7001, b"id"], asked) == Place("10.0.0.2", 7001)
