"""What happens to all tasks of some types, as one stream for one client."""

from collections.abc import Mapping, Sequence
from functools import partial

import anyio

from framework import Queue, QueueEvent
from framework_web.feed import MOVES, REMOVED
from framework_web.sse import BEGIN, HEARTBEAT, Frames, Work, frame
from framework_web.standing import change_of

MOST_WAITING = 100

Told = tuple[str, dict[str, object]]


class Updates:
    """The events of several types for one client.

    Args:
        queues: Their queues, by the names of the types.
        after: The last event known of each, in the order of the names.
        heartbeat: Seconds of silence after which a comment is sent.
    """

    def __init__(self, queues: Mapping[str, Queue], after: Sequence[str], heartbeat: float) -> None:
        self._queues = dict(sorted(queues.items()))
        self._after: dict[str, str] = dict(zip(self._queues, after, strict=False))
        self._heartbeat = heartbeat
        self._put, self._taken = anyio.create_memory_object_stream[tuple[str, QueueEvent]](
            MOST_WAITING
        )

    @property
    def work(self) -> list[Work]:
        """What runs while the frames are sent."""
        return [partial(self._follow, name, queue) for name, queue in self._queues.items()]

    async def close(self) -> None:
        """Take nothing more."""
        self._put.close()
        self._taken.close()

    async def _follow(self, name: str, queue: Queue) -> None:
        async with queue.listen(after=self._after.get(name)) as listener:
            self._after.setdefault(name, listener.after)
            while True:
                for event in await listener.receive():
                    await self._put.send((name, event))

    async def frames(self) -> Frames:
        """Yield what is to be sent."""
        yield BEGIN
        while True:
            with anyio.move_on_after(self._heartbeat) as patience:
                name, event = await self._taken.receive()
            if patience.cancelled_caught:
                yield HEARTBEAT
                continue
            self._after[name] = event.id
            told = None
            if event.job_id is not None:
                told = await told_of(self._queues[name], event, event.job_id)
            if told is not None:
                cursor = ",".join(self._after.get(one, "0-0") for one in self._queues)
                yield frame(told[0], {"type": name, "id": event.job_id, **told[1]}, cursor)


async def told_of(queue: Queue, event: QueueEvent, job_id: str) -> Told | None:
    """Return what is told of an event, but for whom it is about."""
    match event.event:
        case "progress":
            return "progress", {"progress": event.progress}
        case "completed":
            return "completed", {"result": event.result}
        case "failed":
            return "failed", {"error": event.reason}
        case "removed":
            return "failed", {"error": REMOVED}
        case kind if kind in MOVES:
            look = await queue.look(job_id)
            # How it ended comes as an event of its own.
            return None if look is None or look.state.is_final else ("state", change_of(look))
    return None
