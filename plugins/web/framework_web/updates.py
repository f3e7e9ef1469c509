"""What happens to all tasks of some types, as one stream for one client."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial

import anyio

from framework import Queue, QueueEvent
from framework_web.feed import ENDINGS, MOVES, REMOVED
from framework_web.sse import BEGIN, HEARTBEAT, Frames, Work, frame
from framework_web.standing import change_of
from framework_web.task_types import TaskType

MOST_NAMES = 10_000
MOST_WAITING = 100

Told = tuple[str, dict[str, object]]


class Updates:
    """The events of several queues for one client.

    Args:
        queues: The queues, by their names.
        types: What to tell of.
        after: The last event known of each queue, in the order of their names.
        heartbeat: Seconds of silence after which a comment is sent.
    """

    def __init__(
        self,
        queues: Mapping[str, Queue],
        types: Sequence[TaskType],
        after: Sequence[str],
        heartbeat: float,
    ) -> None:
        self._queues = dict(sorted(queues.items()))
        self._types = {(one.queue, one.job_name): one.name for one in types}
        self._after: dict[str, str] = dict(zip(self._queues, after, strict=False))
        self._heartbeat = heartbeat
        self._names: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._put, self._taken = anyio.create_memory_object_stream[tuple[str, QueueEvent]](
            MOST_WAITING
        )

    @property
    def work(self) -> list[Work]:
        """What runs while the frames are sent."""
        return [partial(self._follow, queue) for queue in self._queues.values()]

    async def close(self) -> None:
        """Take nothing more."""
        self._put.close()
        self._taken.close()

    async def _follow(self, queue: Queue) -> None:
        async with queue.listen(after=self._after.get(queue.name)) as listener:
            self._after.setdefault(queue.name, listener.after)
            while True:
                for event in await listener.receive():
                    await self._put.send((queue.name, event))

    async def frames(self) -> Frames:
        """Yield what is to be sent."""
        yield BEGIN
        while True:
            with anyio.move_on_after(self._heartbeat) as patience:
                queue, event = await self._taken.receive()
            if patience.cancelled_caught:
                yield HEARTBEAT
                continue
            self._after[queue] = event.id
            told = await self._told(self._queues[queue], event)
            if told is not None:
                cursor = ",".join(self._after.get(name, "0-0") for name in self._queues)
                yield frame(*told, cursor)

    async def _told(self, queue: Queue, event: QueueEvent) -> Told | None:
        if event.job_id is None or event.event not in MOVES | ENDINGS | {"progress"}:
            return None
        type_name = await self._type_of(queue, event.job_id)
        said = await said_of(queue, event, event.job_id)
        if type_name is None or said is None:
            return None
        return said[0], {"type": type_name, "id": event.job_id, **said[1]}

    async def _type_of(self, queue: Queue, job_id: str) -> str | None:
        """Return the type of a job; None of one that is not told of, or gone unseen."""
        place = queue.name, job_id
        name = self._names.get(place)
        if name is None:
            job = await queue.job(job_id)
            if job is None:
                names = {job_name for where, job_name in self._types if where == queue.name}
                return self._types[queue.name, names.pop()] if len(names) == 1 else None
            name = self._names[place] = job.name
            if len(self._names) > MOST_NAMES:
                self._names.popitem(last=False)
        return self._types.get((queue.name, name))


async def said_of(queue: Queue, event: QueueEvent, job_id: str) -> Told | None:
    """Return what an event says, but for whom it is about."""
    match event.event:
        case "progress":
            return "progress", {"progress": event.progress}
        case "completed":
            return "completed", {"result": event.result}
        case "failed":
            return "failed", {"error": event.reason}
        case "removed":
            return "failed", {"error": REMOVED}
        case _:
            look = await queue.look(job_id)
            # How it ended comes as an event of its own.
            return None if look is None or look.state.is_final else ("state", change_of(look))
