"""What stands in a queue, in words that two runs of one history share."""

import json
from typing import Any

from framework.store.store import Store

Entry = tuple[tuple[str, str], ...]

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
    if field == "parent":
        return json.loads(text)
    return "NAME" if field == "pb" else text
