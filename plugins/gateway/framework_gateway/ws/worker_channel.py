"""The Worker channel: jobs go to a client, as many as it works at once, and answers come back."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from math import inf
from typing import Any

import anyio
from anyio.abc import TaskGroup
from pydantic_core import to_json
from starlette.websockets import WebSocket

from framework import (
    Context,
    FrameworkError,
    Job,
    Queue,
    RedisRefusedError,
    RedisUnavailableError,
)
from framework_gateway.auth import Channel
from framework_gateway.hub import Hub
from framework_gateway.shown import whole
from framework_gateway.ws.alarm import Alarm
from framework_gateway.ws.connection import Connection
from framework_gateway.ws.delivery import Delivery
from framework_gateway.ws.desk import Desk
from framework_gateway.ws.frames import Frame, FrameError, read_frame
from framework_gateway.ws.notices import delivered, notice, revoked
from framework_gateway.ws.serving import serve
from framework_gateway.ws.steps import (
    ENDINGS,
    Extend,
    Failure,
    Release,
    StepError,
    Vanished,
    read_step,
    timed_out,
)
from framework_gateway.ws.worker_request import WorkerRequest, worker_request

DRAIN = "drain"
# Each is listed by a connection to Redis of its own.
MOST_SHOWN = 500
# What a client hears of a job that is no longer its own, by why its run was cancelled.
REVOKED = {
    "removed": ("EREMOVED", "the job was removed"),
    "cancelled": ("ECANCELLED", "somebody cancelled the job"),
}
LOST = "ELOCKLOST", "the lock was lost; another worker may have the job"


async def open_worker_channel(hub: Hub, socket: WebSocket) -> Callable[[], Awaitable[None]]:
    """Return what serves a worker client; its request is checked, and jobs can be taken."""
    asked = worker_request(socket.path_params["concurrency"], socket.query_params, hub.settings)
    queue = hub.queue(socket.path_params["queue"])
    desk = await hub.desks.get(queue.name, asked.lock)
    channel = WorkerChannel(queue, desk, Connection(socket), asked)
    shown: AbstractAsyncContextManager[object] = nullcontext()
    if hub.connections.count(Channel.WORKER) < MOST_SHOWN:
        shown = queue.show_worker(asked.name)
    return lambda: serve(
        hub,
        socket,
        Channel.WORKER,
        channel.connection,
        channel,
        around=shown,
        concurrency=asked.concurrency,
        name=asked.name,
    )


@dataclass(slots=True, eq=False)
class WorkerChannel:
    """One worker client.

    Args:
        queue: Its queue.
        desk: Gives it jobs.
        connection: Its socket.
        asked: What its handshake said.
    """

    queue: Queue
    desk: Desk
    connection: Connection
    asked: WorkerRequest
    _outstanding: dict[int, Delivery] = field(default_factory=dict[int, Delivery])
    _is_draining: bool = False
    _alarm: Alarm = field(init=False)

    def __post_init__(self) -> None:
        self._alarm = Alarm(self._expire)
        self.connection.on_room = self._has_changed

    @property
    def in_hand(self) -> int:
        """How many deliveries it has not resolved."""
        return len(self._outstanding)

    @property
    def takes(self) -> bool:
        """Whether it is given jobs."""
        connection = self.connection
        return connection.is_open and not self._is_draining and not connection.is_congested

    @property
    def free(self) -> int:
        """How many jobs it can be given now."""
        return self.asked.concurrency - self.in_hand if self.takes else 0

    @property
    def capacity(self) -> int:
        """How many it may have in all, for now."""
        return self.asked.concurrency if self.takes else self.in_hand

    def close_soon(self, code: int, reason: str) -> None:
        """Close it."""
        self.connection.close_soon(code, reason)

    async def run(self, tasks: TaskGroup) -> None:
        """Give it jobs and hear what it says until it is gone."""
        tasks.start_soon(self._alarm.run)
        self.desk.enter(self)
        try:
            while (text := await self.connection.receive()) is not None:
                await self._take(text)
        finally:
            self._vanish()

    async def deliver(self, job: Job[Any], ctx: Context) -> Any:  # noqa: ANN401 - whatever the client returns
        """Give it a job; return what it returns."""
        delivery = Delivery(self.connection.next_id(), job, ctx, self.queue, self._refused)
        self._outstanding[delivery.id] = delivery
        self.connection.send(delivered(delivery.id, job, ctx.token))
        self._due_in(delivery, self.asked.ack_seconds)
        self._has_changed()
        why = LOST
        try:
            return await delivery.run()
        except anyio.get_cancelled_exc_class():
            why = REVOKED.get(ctx.why_cancelled or "", LOST)
            raise
        finally:
            if ctx.why_cancelled == "stop":
                self._resolved(delivery)
            else:
                self._revoke(delivery, *why)

    async def _take(self, text: bytes) -> None:
        try:
            frame = read_frame(text)
            await self._heed(frame)
        except FrameError as error:
            self._notice(error.code, error.message, error.frame_id)
            await self.connection.room()

    async def _heed(self, frame: Frame) -> None:
        """Do what a message says.

        Raises:
            FrameError: It says nothing that can be done.
        """
        if frame.data.get("type") == DRAIN:
            self._is_draining = True
            self._has_changed()
            return
        number = whole(frame.key, 0)
        delivery = None if number is None else self._outstanding.get(number)
        if delivery is None:
            words = f"no outstanding delivery {shown_id(frame)}"
            raise FrameError("EUNKNOWNID", words, frame.id)
        try:
            step = read_step(frame.data)
        except StepError as error:
            raise FrameError(error.code, error.message, frame.id) from None
        if isinstance(step, ENDINGS):
            self._resolved(delivery)
        elif not delivery.is_acknowledged or isinstance(step, Extend):
            delivery.is_acknowledged = True
            self._due_in(delivery, self.asked.job_seconds)
        delivery.put(step, frame.size)
        await delivery.room()

    def _due_in(self, delivery: Delivery, seconds: float | None) -> None:
        if seconds is None:
            delivery.deadline = None
            return
        delivery.deadline = anyio.current_time() + seconds
        self._alarm.set(delivery.deadline)

    def _expire(self, now: float) -> float:
        """End the deliveries whose time is over; return when the next one's is."""
        following = inf
        for delivery in list(self._outstanding.values()):
            if delivery.deadline is None:
                continue
            if delivery.deadline > now:
                following = min(following, delivery.deadline)
            elif delivery.is_acknowledged:
                self._revoke(delivery, "EJOBTIMEOUT", "job timed out")
                delivery.put(Failure(timed_out()))
            else:
                ms = (self.asked.ack_seconds or 0) * 1000
                self._revoke(delivery, "EACKTIMEOUT", f"not acknowledged in {ms:.0f} ms")
                delivery.put(Release())
        return following

    def _vanish(self) -> None:
        """Give back what it has, the last first: so they stand in line as they were."""
        self.connection.lost()
        held = list(self._outstanding.values())
        self._outstanding.clear()
        for delivery in reversed(held):
            delivery.put(Vanished(self.asked.max_stalled))
        self.desk.leave(self)

    def _revoke(self, delivery: Delivery, code: str, message: str) -> None:
        if self._resolved(delivery):
            next_id = self.connection.next_id()
            self.connection.send(revoked(next_id, code, message, delivery.id))

    def _resolved(self, delivery: Delivery) -> bool:
        """Forget a delivery; return whether the client still had it."""
        had = self._outstanding.pop(delivery.id, None) is not None
        if had:
            self._has_changed()
        return had

    def _has_changed(self) -> None:
        self.desk.changed(self)

    def _refused(self, delivery: Delivery, error: FrameworkError) -> None:
        """Tell that a wish could not be done; the delivery goes on."""
        if isinstance(error, RedisUnavailableError | RedisRefusedError):
            self._notice("EREDIS", "Redis is unavailable", to_json(delivery.id))
        else:
            self._notice("EJOB", str(error), to_json(delivery.id))

    def _notice(self, code: str, message: str, ref: bytes) -> None:
        self.connection.send(notice(self.connection.next_id(), code, message, ref))


def shown_id(frame: Frame) -> str:
    """Return the id of a message as a notice names it."""
    return frame.id.decode()[:50]
