"""All that Redis holds of some queues, read in one call and sorted by what it means."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from framework.store.store import Store

HERE = Path(__file__).parent
READ = (HERE / "snapshot.lua").read_text()
AGE = (HERE / "age.lua").read_text()

NEVER = float("inf")
# When a held job is due; nobody is told of that.
HELD_MS = 2**41 - 1
LISTS = ("wait", "paused", "active")
SETS = ("prioritized", "delayed", "waiting-children", "completed", "failed")
ONE_OF_A_QUEUE = {"marker": "marker", "meta": "meta", "stalled": "stalled", "repeat": "next_runs"}
PARTS = {"lock", "logs", "dependencies", "processed", "failed", "unsuccessful"}


@dataclass
class View:
    """One queue.

    Attributes:
        base: What all its keys begin with.
        lists: Ids by list.
        sets: Scores by id, by sorted set.
        jobs: Hashes by id.
        parts: What hangs on jobs, by kind (``lock``, ``dependencies``, …) and id.
        dedup: Owner and time to live, by deduplication id.
        pending: What waits behind an active owner, by deduplication id.
        schedulers: Hashes by scheduler id.
        strings: Counters, the limiter and the like.
        keys: Every key, without the base.
        news: Events since the last look.
    """

    base: str
    lists: dict[str, list[str]] = field(default_factory=lambda: {it: [] for it in LISTS})
    sets: dict[str, dict[str, float]] = field(default_factory=lambda: {it: {} for it in SETS})
    jobs: dict[str, dict[str, str]] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    dedup: dict[str, tuple[str, int]] = field(default_factory=dict)
    pending: dict[str, tuple[dict[str, str], int]] = field(default_factory=dict)
    schedulers: dict[str, dict[str, str]] = field(default_factory=dict)
    next_runs: dict[str, float] = field(default_factory=dict)
    marker: dict[str, float] = field(default_factory=dict)
    stalled: set[str] = field(default_factory=set)
    meta: dict[str, str] = field(default_factory=dict)
    strings: dict[str, tuple[str, int]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    news: list[dict[str, str]] = field(default_factory=list)

    def places(self, job_id: str) -> list[str]:
        """Name every structure that an id is in, as often as it is in it."""
        lists = [name for name, ids in self.lists.items() for one in ids if one == job_id]
        return lists + [name for name, scores in self.sets.items() if job_id in scores]

    def members(self) -> set[str]:
        """Return every id that is in some structure."""
        return {one for ids in self.lists.values() for one in ids}.union(*self.sets.values())

    def has_work(self) -> bool:
        """Tell whether a job waits for a worker."""
        return bool(self.lists["wait"] or self.lists["paused"] or self.sets["prioritized"])

    @property
    def first_due(self) -> float:
        """When the first delayed job falls due, in milliseconds."""
        dues = [score / 4096 for score in self.sets["delayed"].values()]
        return min((due for due in dues if due < HELD_MS), default=NEVER)

    def is_blocked(self) -> bool:
        """Tell whether no worker may take a job now."""
        most = self.meta.get("concurrency")
        full = most is not None and len(self.lists["active"]) >= int(most)
        return full or "paused" in self.meta or "limiter" in self.strings


class Look:
    """Looks at queues again and again, and remembers how far it has read their events."""

    def __init__(self, store: Store, prefix: str, queues: tuple[str, ...]) -> None:
        self._store = store
        self._pattern = f"{prefix}:*"
        self._bases = {queue: f"{prefix}:{queue}:" for queue in queues}
        self._read_to: dict[str, str] = {}

    async def __call__(self) -> dict[str, View]:
        read_to = [one for pair in self._read_to.items() for one in pair]
        found = await self._store.command("EVAL", READ, 0, self._pattern, *read_to)
        views = {queue: View(base) for queue, base in self._bases.items()}
        streams = set()
        for raw_key, kind, value, ttl in found:
            key = raw_key.decode()
            view = next(it for it in views.values() if key.startswith(it.base))
            suffix = key.removeprefix(view.base)
            view.keys.append(suffix)
            if kind == b"stream":
                streams.add(key)
                self._take_news(view, key, value)
            else:
                sort(view, suffix, kind.decode(), decoded(kind.decode(), value), ttl)
        # A stream that was deleted begins anew.
        self._read_to = {key: to for key, to in self._read_to.items() if key in streams}
        return views

    def _take_news(self, view: View, key: str, entries: list[Any]) -> None:
        for entry_id, flat in entries:
            view.news.append(pairs(flat))
            self._read_to[key] = entry_id.decode()

    async def age(self, ms: int) -> None:
        """Let time pass for what expires."""
        await self._store.command("EVAL", AGE, 0, self._pattern, ms)

    async def clear(self) -> None:
        """Delete everything."""
        keys = await self._store.command("KEYS", self._pattern)
        if keys:
            await self._store.command("DEL", *keys)
        self._read_to.clear()


def pairs(flat: list[bytes]) -> dict[str, str]:
    texts = [one.decode() for one in flat]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def decoded(kind: str, value: Any) -> Any:  # noqa: ANN401 - as the type says
    match kind:
        case "hash":
            return pairs(value)
        case "zset":
            return {member: float(score) for member, score in pairs(value).items()}
        case "list":
            return [one.decode() for one in value]
        case "set":
            return {one.decode() for one in value}
        case _:
            return value.decode(errors="replace")


def sort(view: View, suffix: str, kind: str, value: Any, ttl: int) -> None:  # noqa: ANN401 - as `decoded`
    """Put a key's value where a view has it."""
    first, _, rest = suffix.partition(":")
    job_id, _, part = suffix.rpartition(":")
    shelf = view.lists if suffix in view.lists else view.sets
    if suffix in shelf:
        shelf[suffix] = value
    elif suffix in ONE_OF_A_QUEUE:
        setattr(view, ONE_OF_A_QUEUE[suffix], value)
    elif first == "repeat" and ":" not in rest:
        view.schedulers[rest] = value
    elif first in {"de", "dn"}:
        (view.dedup if first == "de" else view.pending)[rest] = (value, ttl)
    elif part in PARTS and first != "metrics":
        view.parts[part][job_id] = value
    elif kind == "string":
        view.strings[suffix] = (value, ttl)
    elif first not in {"meta", "metrics"}:
        view.jobs[suffix] = value
