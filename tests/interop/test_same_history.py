"""One history made twice, by Node alone and by us: the events and the keys must be the same."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from framework.store.store import Store
from tests.interop.histories import HISTORIES, History, on_node, on_us
from tests.support.node import NodePeer, both_majors
from tests.support.ours import Ours

pytestmark = [pytest.mark.interop, both_majors]

Entry = tuple[tuple[str, str], ...]

every_history = pytest.mark.parametrize(
    "history", [pytest.param(it, id=name) for name, it in HISTORIES.items()]
)

# What differs by nature: our own fields, and the retention that only we may name.
OUR_KEYS = "meta:fw:"
# A marker is taken by whoever waits for one; the counter also counts what was not added.
LEFT_OUT = {"events", "stalled-check", "id", "marker"}
TIMES = {"timestamp", "processedOn", "finishedOn"}
OUR_META = {"x-fw.format", "version"}


async def events_of(store: Store, prefix: str, queue: str) -> list[Entry]:
    """Read the stream as it stands; due times become words, since they differ from run to run."""
    entries = await store.command("XRANGE", f"{prefix}:{queue}:events", "-", "+")
    return [
        tuple((name.decode(), due_in_words(name, value)) for name, value in fields.items())
        for _, fields in entries
    ]


def due_in_words(field: bytes, value: bytes) -> str:
    return "DUE" if field == b"delay" else value.decode()


async def dump(store: Store, prefix: str, queue: str) -> dict[str, Any]:
    """Read every key of a queue but its events, with times and traces turned into words."""
    base = f"{prefix}:{queue}:"
    keys = await store.command("KEYS", f"{base}*")
    names = sorted(key.decode().removeprefix(base) for key in keys)
    return {
        name: await value_of(store, base + name)
        for name in names
        if name not in LEFT_OUT and not name.startswith(OUR_KEYS)
    }


async def value_of(store: Store, key: str) -> object:
    match (await store.command("TYPE", key)).decode():
        case "hash":
            flat = await store.command("HGETALL", key)
            fields = {name.decode(): text.decode() for name, text in flat.items()}
            return {name: in_words(name, text) for name, text in fields.items()}
        case "list":
            return [one.decode() for one in await store.command("LRANGE", key, 0, -1)]
        case "zset":
            members = [one.decode() for one in await store.command("ZRANGE", key, 0, -1)]
            # Those that finished within the same millisecond stand in no order.
            return sorted(members) if key.endswith(("completed", "failed")) else members
        case "set":
            return sorted(one.decode() for one in await store.command("SMEMBERS", key))
        case "string":
            return (await store.command("GET", key)).decode()
    return None


def in_words(field: str, text: str) -> object:
    """Leave out of a field's value what cannot be the same twice."""
    if field in TIMES:
        return "TIME"
    if field == "stacktrace":
        return f"{len(json.loads(text))} traces"
    if field == "opts":
        opts = json.loads(text)
        for name in ("removeOnComplete", "removeOnFail", "delay", "priority", "lifo", "jobId"):
            opts.pop(name, None)
        if isinstance(opts.get("backoff"), dict):
            opts["backoff"] = opts["backoff"]["delay"]
        return opts
    return "NAME" if field == "pb" else text


@every_history
async def test_our_events_are_those_that_node_writes(
    ours: Ours, node: NodePeer, store: Store, history: Callable[[History], Awaitable[None]]
) -> None:
    async with on_node(node, "theirs") as theirs:
        await history(theirs)
    async with on_us(ours, node, "mine") as mine:
        await history(mine)

    expected = await events_of(store, ours.prefix, "theirs")
    assert await events_of(store, ours.prefix, "mine") == expected


@every_history
async def test_our_keys_are_those_that_node_leaves(
    ours: Ours, node: NodePeer, store: Store, history: Callable[[History], Awaitable[None]]
) -> None:
    async with on_node(node, "theirs") as theirs:
        await history(theirs)
    async with on_us(ours, node, "mine") as mine:
        await history(mine)

    expected, found = (
        await dump(store, ours.prefix, "theirs"),
        await dump(store, ours.prefix, "mine"),
    )
    for meta in (expected["meta"], found["meta"]):
        for name in OUR_META:
            meta.pop(name, None)
    assert found == expected
