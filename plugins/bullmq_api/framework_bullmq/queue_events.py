"""Hearing what happens in a queue, whoever does it."""

import asyncio  # it begins by itself, where no task group is
from collections.abc import Mapping
from typing import Any

import anyio

from framework import FrameworkError, QueueEvent, RedisUnavailableError
from framework_bullmq.background import AGAIN_SECONDS, Tenant
from framework_bullmq.event_emitter import EventEmitter
from framework_bullmq.millis import epoch_ms
from framework_bullmq.queue_base import keys_of, read_place
from framework_bullmq.spelling import read_options

OPTIONS = frozenset({"connection", "prefix", "autorun", "lastEventId", "skipVersionCheck"})
REFUSED = {
    "blockingTimeout": "one reader of the engine serves all who listen, and close() ends at once "
    "whatever it waits for: leave it out",
    "telemetry": "it is an interface of BullMQ's own; hear events in its place",
}
FROM_NOW = "$"


class QueueEvents(EventEmitter):
    """Emits each event of a queue: as ``completed``, say, and as ``completed:7`` for job 7.

    Listeners are called with ``(args, event_id)``: a dictionary such as ``{"jobId": "7",
    "returnvalue": 5, "prev": "active"}``, and the event's id; those of ``drained``, the id alone.

    Args:
        name: The queue's name.
        opts: ``connection`` and ``prefix`` as of a Queue; ``autorun``: False waits for `run`;
            ``lastEventId``: the last event known; from now on unless given.

    Raises:
        OptionsError: An option that there is not, or that is refused.
    """

    def __init__(self, name: str, opts: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        options = read_options("QueueEvents", opts, OPTIONS, REFUSED)
        self.name = name
        self.opts = {"autorun": True, "lastEventId": FROM_NOW, **options}
        self._tenant = Tenant(read_place(options))
        self.prefix = self._tenant.place.prefix
        self.qualifiedName = f"{self.prefix}:{name}"
        self.keys = keys_of(self.qualifiedName)
        self.running = self.closing = self.closed = False
        self._scope: anyio.CancelScope | None = None
        self._ended = anyio.Event()
        if self.opts["autorun"]:
            self._task = asyncio.get_running_loop().create_task(self._run_by_itself())

    async def run(self) -> None:
        """Emit until this is closed.

        Raises:
            RuntimeError: It runs already.
            SettingsError: The connection cannot be used.
        """
        if self.running:
            raise RuntimeError("QueueEvents is already running")
        if self.closing:
            return
        self.running = True
        try:
            with anyio.CancelScope() as self._scope:
                await self._listen()
        finally:
            self.running = False
            self._ended.set()

    async def close(self) -> None:
        """Hear no more. A second time changes nothing."""
        if self.closing:
            return
        self.closing = True
        if self._scope is not None:
            self._scope.cancel()
        if self.running:
            await self._ended.wait()
        await self._tenant.leave()
        self.closed = True

    async def _listen(self) -> None:
        """Emit what comes; while Redis is away, say so and look again."""
        last = self.opts["lastEventId"]
        queue = (await self._tenant.app()).queue(self.name)
        while True:
            try:
                async with queue.listen(after=None if last == FROM_NOW else last) as listener:
                    while True:
                        for event in await listener.receive():
                            last = event.id
                            self._tell(event)
            except RedisUnavailableError as error:
                self.emit("error", error)
                await anyio.sleep(AGAIN_SECONDS)

    async def _run_by_itself(self) -> None:
        try:
            await self.run()
        except FrameworkError as error:
            self.emit("error", error)

    def _tell(self, event: QueueEvent) -> None:
        if event.event == "drained":
            self.emit(event.event, event.id)
            return
        args = args_of(event)
        self.emit(event.event, args, event.id)
        if event.job_id is not None:
            self.emit(f"{event.event}:{event.job_id}", args, event.id)


def args_of(event: QueueEvent) -> dict[str, Any]:
    """Return what an event says, in BullMQ's words."""
    args: dict[str, Any] = {} if event.job_id is None else {"jobId": str(event.job_id)}
    args |= event.fields
    if event.event == "completed" or event.result is not None:
        args["returnvalue"] = event.result
    if event.reason is not None:
        args["failedReason"] = event.reason
    if event.event == "progress":
        args["data"] = event.progress
    if event.due is not None:
        args["delay"] = str(epoch_ms(event.due))
    if event.prev is not None:
        args["prev"] = event.prev
    return args
