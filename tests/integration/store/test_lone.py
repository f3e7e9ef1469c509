"""The short way of `exchange` leaves and answers what the long way does, whatever it meets."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from framework.errors import FrameworkError, KeyTypeError
from framework.model.job import JobId, Token
from framework.model.options import KEEP_COMPLETED, KeepJobs
from framework.store.connection import Argument
from framework.store.lane import MEMORY_MS
from framework.store.script import FOLDER, Script, load_script
from framework.store.store import Store
from framework.store.transitions.ending import completed
from framework.store.transitions.exchange import (
    EXCHANGE,
    Taker,
    exchange_args,
    exchange_keys,
)
from framework.wire.keys import QueueKeys
from tests.support.builders import NOW

TOKEN = "0" * 32 + ":"
KEEPS = (KeepJobs(), KEEP_COMPLETED, KeepJobs(count=1), KeepJobs(count=0))
# What the fuller half of all states has one of.
TWISTS: Mapping[str, tuple[tuple[Argument, ...], ...]] = {
    "paused": (("HSET", "{q}:meta", "paused", 1),),
    "paused as BullMQ 5 does": (("HSET", "{q}:meta", "paused", 1, "x-fw.pause", "v5"),),
    "at its concurrency": (("HSET", "{q}:meta", "concurrency", 1),),
    "limited": (("HSET", "{q}:meta", "max", 5, "duration", 1000),),
    "limited by hand": (("HSET", "{q}:meta", "x-fw.limited", NOW + 5000),),
    "was limited": (("HSET", "{q}:meta", "x-fw.limited", NOW - 5000),),
    "asked": (("HSET", "{q}:meta", "x-fw.asks", 1),),
    "cancelled": (("HSET", "{q}:meta", "x-fw.asks", 1), ("HSET", "{q}:1", "fw.cancelled", "no")),
    "a due job": (("HSET", "{q}:d", "name", "d"), ("ZADD", "{q}:delayed", 1, "d")),
    "a later job": (("HSET", "{q}:d", "name", "d"), ("ZADD", "{q}:delayed", 2**53, "d")),
    "a prioritized job": (
        ("HSET", "{q}:p", "name", "p", "data", "{}", "opts", "{}", "priority", 3),
        ("ZADD", "{q}:prioritized", 3 * 2**32, "p"),
        ("SET", "{q}:pc", 1),
    ),
    "a wake-up": (("ZADD", "{q}:marker", 0, "0"),),
    "priorities before": (("SET", "{q}:pc", 7),),
    "stalled": (("SADD", "{q}:stalled", "1"),),
    "children": (("SADD", "{q}:1:dependencies", "{q}:kid"),),
    "children that failed": (("HSET", "{q}:1:unsuccessful", "{q}:kid", "no"),),
    "progress": (("HSET", "{q}:1", "progress", 5),),
    "a parent": (("HSET", "{q}:1", "parentKey", "{q}:none"),),
    "gone": (("DEL", "{q}:1"),),
    "lost": (("DEL", "{q}:1:lock"),),
    "another's": (("SET", "{q}:1:lock", "other:1"),),
    "not active": (("DEL", "{q}:active"),),
    "not the last": (("RPUSH", "{q}:active", "other"),),
    "one of several": (("LPUSH", "{q}:active", "other"),),
    "fenced": (("SET", "{q}:meta:fw:fenced:" + TOKEN[:-1], 1),),
    "ended jobs": (("ZADD", "{q}:completed", 1, "a", NOW - 70_000, "b", NOW - 1, "c"),),
    "served": (("SET", "{q}:meta:fw:lane:f:0", b"11 \x92\x90\x91\xa11"),),
    "served later": (("SET", "{q}:meta:fw:lane:f:0", "12 x"),),
    "few events": (("HSET", "{q}:meta", "opts.maxLenEvents", 5),),
    "no limit of events": (("HDEL", "{q}:meta", "opts.maxLenEvents"),),
    "an odd limit of events": (("HSET", "{q}:meta", "opts.maxLenEvents", "Infinity"),),
    "an old marker": (("RPUSH", "{q}:wait", "0:5"),),
    "an id without a job": (("RPUSH", "{q}:wait", "nobody"),),
    "an id of no hash": (("SET", "{q}:text", "x"), ("RPUSH", "{q}:wait", "text")),
    "one that ran before": (
        ("HSET", "{q}:old", "name", "n", "data", "{}", "opts", "{}", "ats", 2),
        ("RPUSH", "{q}:wait", "old"),
    ),
    "a held one": (
        ("HSET", "{q}:held", "name", "n", "data", "{}", "opts", "{}", "fw.held", "wait"),
        ("RPUSH", "{q}:wait", "held"),
    ),
    **{
        f"odd {word}": (("DEL", f"{{q}}:{word}"), ("SET", f"{{q}}:{word}", "odd"))
        for word in ("wait", "active", "events", "completed", "marker", "meta", "delayed")
    },
    **{
        f"odd {word} of the job": (("DEL", f"{{q}}:1:{word}"), ("SADD", f"{{q}}:1:{word}", "odd"))
        for word in ("lock", "dependencies", "unsuccessful")
    },
}


@dataclass(frozen=True)
class State:
    """A queue, and what a worker calls about it."""

    waiting: int
    ends: bool
    is_new: bool
    want: int
    keep: KeepJobs
    name: str
    metrics: int
    sequence: int
    twists: tuple[str, ...]

    @classmethod
    def drawn(cls, chance: Random, *twists: str) -> "State":
        return cls(
            waiting=chance.choice((0, 1, 1, 2, 3)),
            ends=chance.random() < 0.7,
            is_new=chance.random() < 0.9,
            want=chance.choice((0, 1, 1, 1, 2, 50)),
            keep=chance.choice(KEEPS),
            name=chance.choice(("host:1", "")),
            metrics=chance.choice((0, 0, 0, 0, 10)),
            sequence=11,
            twists=twists,
        )

    async def make(self, store: Store, keys: QueueKeys) -> None:
        meta = ("HSET", keys["meta"], "opts.maxLenEvents", 10_000)
        commands: list[tuple[Argument, ...]] = [meta]
        for n in range(1, self.waiting + 2):
            fields = ("data", "{}", "opts", "{}", "timestamp", NOW, "delay", 0, "priority", 0)
            commands.append(("HSET", keys.job(JobId(str(n))), "name", "n", *fields))
            if n > 1:
                commands.append(("LPUSH", keys["wait"], n))
        if self.ends:
            job = keys.job(JobId("1"))
            pb = ("pb", self.name) if self.name else ()
            commands += [
                ("HSET", job, "processedOn", NOW - 1, "ats", 1, *pb),
                ("SET", job + ":lock", TOKEN + "3"),
                ("LPUSH", keys["active"], 1),
            ]
        base = keys["wait"].removesuffix(":wait")
        for twist in self.twists:
            for command in TWISTS[twist]:
                filled = [
                    part.replace("{q}", base) if isinstance(part, str) else part for part in command
                ]
                commands.append(tuple(filled))
        for command in commands:
            with suppress(KeyTypeError):  # of two twists
                await store.command(*command)

    async def call(self, store: Store, keys: QueueKeys, script: Script) -> object:
        """Return what the script answers, or its error."""
        taker = Taker(TOKEN, 30_000, self.name, metrics=self.metrics)
        ended = completed(
            JobId("1"), Token(TOKEN + "3"), b'{"x":1}', self.keep, was_new=self.is_new
        )
        endings = [ended] if self.ends else []
        names = exchange_keys("f:0", keys, taker)
        args = exchange_args(endings, taker, want=self.want, next_token=4, now_ms=NOW)
        try:
            return await store.command(
                "EVAL", script.text, len(names), *names, self.sequence, MEMORY_MS, *args
            )
        except FrameworkError as error:
            return type(error)


async def contents(store: Store, keys: QueueKeys) -> dict[str, object]:
    """Return all that a queue has, but for the ids of its events."""
    found: dict[str, object] = {}
    base = keys["wait"].removesuffix("wait")
    for key in sorted(await store.command("KEYS", base + "*")):
        name = key.decode()
        match (await store.command("TYPE", name)).decode():
            case "hash":
                held: Any = await store.command("HGETALL", name)
            case "list":
                held = await store.command("LRANGE", name, 0, -1)
            case "set":
                held = sorted(await store.command("SMEMBERS", name))
            case "zset":
                held = await store.command("ZRANGE", name, 0, -1, "WITHSCORES")
            case "stream":
                held = [fields for _, fields in await store.command("XRANGE", name, "-", "+")]
            case _:
                held = await store.command("GET", name)
        told = name.removeprefix(base)
        found[told] = held, await store.command("PTTL", name) > 0
    return found


@pytest.fixture
def long_way(tmp_path: Path) -> Script:
    """The script without its short way."""
    folder = tmp_path / "lua"
    shutil.copytree(FOLDER, folder)
    lone = folder / "lib/lone.lua"
    header = [line for line in lone.read_text().splitlines() if line.startswith("-- include:")]
    lone.write_text("\n".join(header))
    return load_script("exchange", folder)


async def compare(store: Store, prefix: str, state: State, long_way: Script) -> None:
    sides = []
    for place, script in enumerate((EXCHANGE, long_way)):
        keys = QueueKeys(prefix, f"q{place}")
        await state.make(store, keys)
        said = await state.call(store, keys, script)
        sides.append((said, await contents(store, keys)))
        await store.command("DEL", *(await store.command("KEYS", keys["wait"][:-4] + "*")))
    (short_said, short_left), (long_said, long_left) = sides
    assert short_said == long_said, state
    assert str(short_left).replace(":q0:", ":q1:") == str(long_left), state


@pytest.mark.parametrize("seed", range(20))
async def test_both_ways_do_the_same_where_nothing_is_odd(
    store: Store, prefix: str, long_way: Script, seed: int
) -> None:
    chance = Random(seed)  # noqa: S311 - the same states each time
    for _ in range(10):
        await compare(store, prefix, State.drawn(chance), long_way)


@pytest.mark.parametrize("twist", TWISTS)
async def test_both_ways_do_the_same_where_something_is_odd(
    store: Store, prefix: str, long_way: Script, twist: str
) -> None:
    chance = Random(twist)  # noqa: S311 - the same states each time
    for _ in range(16):
        await compare(store, prefix, State.drawn(chance, twist), long_way)
    for other in chance.sample(list(TWISTS), 4):
        await compare(store, prefix, State.drawn(chance, twist, other), long_way)


async def test_the_short_way_is_taken(store: Store, prefix: str, keys: QueueKeys) -> None:
    """It looks at the line with LRANGE, the long way never."""
    state = State(2, True, True, 1, KEEP_COMPLETED, "host:1", 0, 12, ())
    await state.make(store, keys)
    await store.command("CONFIG RESETSTAT")

    said = await state.call(store, keys, EXCHANGE)

    stats = await store.command("INFO", "commandstats")
    assert said == [[b"2"], [[b"n", b"{}", b"{}", str(NOW).encode(), b"0"]]]
    assert stats["cmdstat_lrange"]["calls"] == 1
    assert stats["cmdstat_hgetall"]["calls"] == 1
    assert stats["cmdstat_lrem"]["calls"] == 1
