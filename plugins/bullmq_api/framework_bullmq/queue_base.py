"""What every part of `Queue` stands on: its name, its options, the engine's queue behind it."""

import asyncio  # a queue follows the loop that it is used in
from collections.abc import Mapping
from typing import Any

from framework import Queue as Engine
from framework_bullmq.background import Place, Tenant
from framework_bullmq.connection import where_of
from framework_bullmq.event_emitter import EventEmitter
from framework_bullmq.spelling import read_options

BULL = "bull"
OPTIONS = frozenset({"connection", "prefix", "defaultJobOptions", "skipVersionCheck"})
READY = "it is no longer of use in BullMQ either: leave it out"
REFUSED = {
    "skipWaitingForReady": READY,
    "skipMetasUpdate": "the engine writes what a queue needs",
    "streams": "queue.trimEvents(count) trims events",
    "telemetry": "it is an interface of BullMQ's own; hear events in its place",
    "settings": "give settings to the Worker",
}
VERSIONS = "the engine asks a server for what it can do, not for its version: leave it out"
KEYS = (
    "", "active", "wait", "waiting-children", "paused", "id", "delayed", "prioritized",
    "stalled-check", "completed", "failed", "stalled", "repeat", "limiter", "meta", "events", "pc",
    "marker", "de",
)  # fmt: skip
NOTHING: Mapping[str, Any] = {}


def keys_of(qualified: str) -> dict[str, str]:
    """Return the names of a queue's keys."""
    return {key: f"{qualified}:{key}" for key in KEYS}


def read_place(options: Mapping[str, Any]) -> Place:
    """Return where the queues are that an object's options mean."""
    if options.get("skipVersionCheck"):
        read_options("it", {"skipVersionCheck": True}, (), {"skipVersionCheck": VERSIONS})
    return Place(where_of(options.get("connection")), options.get("prefix", BULL))


class QueueBase(EventEmitter):
    """A queue by its name.

    Args:
        name: The queue's name.
        options: As they were given, in BullMQ's spelling.
        tenant: Its share in an application.

    Attributes:
        name: The queue's name.
        opts: Its options.
        prefix: What its keys begin with.
        qualifiedName: ``prefix:name``.
    """

    def __init__(self, name: str, options: Mapping[str, Any], tenant: Tenant) -> None:
        super().__init__()
        self.name = name
        self.opts = dict(options)
        self.jobsOpts: Mapping[str, Any] = self.opts.get("defaultJobOptions", NOTHING)
        self.prefix = tenant.place.prefix
        self.qualifiedName = f"{self.prefix}:{name}"
        self.keys = keys_of(self.qualifiedName)
        self._tenant = tenant
        self._engine: tuple[asyncio.AbstractEventLoop, Engine] | None = None

    def toKey(self, type: str) -> str:
        """Return the name of one of its keys: ``bull:mail:wait`` for ``wait``."""
        return f"{self.qualifiedName}:{type}"

    async def engine(self) -> Engine:
        """Return the engine's queue, in the running loop.

        Raises:
            SettingsError: The connection cannot be used.
            OptionsError: No queue can be called so.
        """
        known = self._engine
        if (
            known is not None
            and known[0] is asyncio.get_running_loop()
            and not self._tenant.is_over
        ):
            return known[1]
        app = await self._tenant.app()
        engine = app.queue(self.name)
        self._engine = asyncio.get_running_loop(), engine
        return engine

    async def close(self) -> None:
        """Give up its share in the connections; used again, it opens them anew."""
        self._engine = None
        await self._tenant.leave()

    to_key = toKey
