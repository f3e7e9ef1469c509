"""All keys of a prefix in words that are the same for the same history, and what is left out."""

import json
import re
from typing import Any

from framework.store.store import Store

MOMENT = re.compile(r"\b1\d{12}\b")

# Left out, each for a reason:
OURS = ":meta:fw:"  # what only we write and read: a lane's last answer
LEFT_OUT = (
    ":marker",  # we take back a wake-up for which nothing is left; Node leaves it
)
META = {
    "version",  # each library writes its own
    "x-fw.format",  # ours
    "x-fw.pause",  # ours
}
OPTIONS = {
    "removeOnComplete",  # our producers always say how long a job is kept
    "removeOnFail",  # the same
    "fw",  # the mark of our default one
}
EVENTS = {
    "debounced",  # BullMQ 5 tells it beside `deduplicated`, which all listeners know
}
AT_ONCE = "0 minutes"
FIELDS = {
    "nrjid",  # BullMQ 5 writes it on the runs of schedules, and no peer needs it
}


async def dump_of(store: Store, prefix: str) -> dict[str, Any]:
    """Read all keys below a prefix, without it."""
    found = [key.decode() for key in await store.command("KEYS", f"{prefix}:*")]
    values = {
        in_words(key, prefix).removeprefix("PREFIX:"): await value_of(store, key, prefix)
        for key in sorted(found)
        if OURS not in key and not key.endswith(LEFT_OUT)
    }
    # An obliterated queue keeps where its jobs wait in a pause, a field of ours, if that is set.
    return {key: value for key, value in values.items() if value != {}}


async def value_of(store: Store, key: str, prefix: str) -> object:
    match (await store.command("TYPE", key)).decode():
        case "hash":
            flat = await store.command("HGETALL", key)
            fields = {in_words(name.decode(), prefix): value for name, value in flat.items()}
            return hash_in_words(fields, key, prefix)
        case "list":
            return [
                in_words(it.decode(), prefix) for it in await store.command("LRANGE", key, 0, -1)
            ]
        case "set":
            found = await store.command("SMEMBERS", key)
            return sorted(in_words(it.decode(), prefix) for it in found)
        case "zset":
            flat = await store.command("ZRANGE", key, 0, -1, "WITHSCORES")
            pairs = zip(flat[::2], flat[1::2], strict=True)
            return zset_in_words([(m.decode(), s.decode()) for m, s in pairs], key, prefix)
        case "stream":
            return await events_of(store, key, prefix)
    return in_words((await store.command("GET", key)).decode(), prefix)


def in_words(text: str, prefix: str) -> str:
    """Replace what differs from run to run: the prefix, and moments in milliseconds."""
    return MOMENT.sub("MOMENT", text.replace(prefix, "PREFIX"))


def hash_in_words(fields: dict[str, bytes], key: str, prefix: str) -> dict[str, object]:
    left_out = META if key.endswith(":meta") else FIELDS
    told = {
        name: field_in_words(name, value.decode(), prefix)
        for name, value in fields.items()
        if name not in left_out
    }
    # The run of a scheduler waits until a moment, so its delay is another one in each history.
    if "rjk" in told and told.get("delay", AT_ONCE) != AT_ONCE:
        told["delay"] = "UNTIL"
    return told


def field_in_words(name: str, text: str, prefix: str) -> object:
    match name:
        case "opts":
            return plain(json.loads(text.replace(prefix, "PREFIX")))
        case "stacktrace":
            return f"{len(json.loads(text))} traces"
        case "delay":
            return minutes_of(int(text))
        case "offset":  # how far into an hour the first run of a schedule was
            return "OFFSET"
    return in_words(text, prefix)


def minutes_of(ms: int) -> str:
    """Word a span so coarsely that a slow machine changes nothing."""
    return f"{ms / 60_000:.0f} minutes"


def plain(value: object) -> object:
    """Word a value of JSON."""
    match value:
        case dict():
            is_run = "repeat" in value
            return {
                name: "UNTIL" if is_run and name == "delay" else plain(member)
                for name, member in value.items()
                if name not in OPTIONS
            }
        case str() | int() | float() if not isinstance(value, bool):
            worded = MOMENT.sub("MOMENT", str(value))
            return worded if worded != str(value) else value
    return value


def zset_in_words(members: list[tuple[str, str]], key: str, prefix: str) -> list[tuple[str, str]]:
    """Keep the order; keep the scores that are no moments."""
    if key.endswith((":completed", ":failed")):  # within a millisecond there is no order
        return sorted((in_words(member, prefix), "MOMENT") for member, _ in members)
    if key.endswith(":delayed"):
        return [(in_words(member, prefix), "DUE") for member, _ in members]
    return [(in_words(member, prefix), in_words(score, prefix)) for member, score in members]


async def events_of(store: Store, key: str, prefix: str) -> list[dict[str, str]]:
    found = await store.command("XRANGE", key, "-", "+")
    told = [
        {name.decode(): in_words(value.decode(), prefix) for name, value in fields.items()}
        for _, fields in found
    ]
    return [event for event in told if event["event"] not in EVENTS]
