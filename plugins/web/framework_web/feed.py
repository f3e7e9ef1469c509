"""What a client of one task is told: first how it stands, then each change, at last the end."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import anyio

from framework import Chunk, JobListener, JobNotFoundError, Queue, QueueEvent
from framework_web.cursor import FIRST, Cursor
from framework_web.log_rows import LOOK_SECONDS, LogRows, Logs
from framework_web.sse import BEGIN, HEARTBEAT, Frames, frame
from framework_web.standing import Look, change_of, snapshot_of

AT_ONCE = timedelta(0)
A_LOOK = timedelta(seconds=LOOK_SECONDS)
MOVES = frozenset({"waiting", "delayed", "active", "waiting-children"})
ENDINGS = frozenset({"completed", "failed", "removed"})
REMOVED = "the task was removed"


class Feed:
    """The events of one task for one client. Open it, send its frames, and close it.

    Args:
        queue: The task's queue.
        job_id: The task.
        type_name: Its type.
        logs: The logs that are watched.
        heartbeat: Seconds of silence after which a comment is sent.
    """

    def __init__(
        self,
        queue: Queue,
        job_id: str,
        type_name: str,
        logs: Logs,
        heartbeat: float,
    ) -> None:
        self._queue = queue
        self._job_id = job_id
        self._type = type_name
        self._logs = logs
        self._silence = timedelta(seconds=heartbeat)
        self._stack = AsyncExitStack()
        self._listening = AsyncExitStack()
        self._stack.push_async_callback(self._listening.aclose)
        self._listener: JobListener
        self._rows: LogRows
        self._missed: list[QueueEvent | Chunk[object]] = []
        self._snapshot: Look | None = None
        self._cursor = Cursor("0-0")
        self._said: dict[str, object] = {}
        self._is_over = False

    async def open(self, look: Look | None, resume: Cursor | None) -> bool:
        """Begin to listen; return whether there is anything to tell, now or later.

        Args:
            look: How the task stands; None: it is gone.
            resume: How far the client has come before.

        Raises:
            JobNotFoundError: It is gone, and no event that the client has missed tells of its end.
        """
        try:
            has_more = await self._open(look, resume)
        except BaseException:
            await self.close()
            raise
        if not has_more:
            await self.close()
        return has_more

    async def _open(self, look: Look | None, resume: Cursor | None) -> bool:
        self._rows = await self._stack.enter_async_context(
            self._logs.watch(self._queue, self._job_id)
        )
        if resume is not None:
            await self._listen(resume)
            if self._listener.has_gap:
                await self._listening.aclose()
            else:
                self._cursor = resume
                return await self._resume(look)
        if look is None:
            raise self._gone()
        self._cursor = replace(resume or Cursor(FIRST), event=look.event_id)
        self._snapshot, self._is_over = look, look.state.is_final
        await self._listen(self._cursor)
        return True

    async def _resume(self, look: Look | None) -> bool:
        self._missed += await self._listener.receive(AT_ONCE)
        if look is not None and not look.state.is_final:
            return True
        if not self._knows_end():
            # It may be on its way to us.
            self._missed += await self._listener.receive(A_LOOK)
        if look is None and not self._knows_end():
            raise self._gone()
        return self._knows_end()

    async def close(self) -> None:
        """Listen no more."""
        with anyio.CancelScope(shield=True):
            await self._stack.aclose()

    async def frames(self) -> Frames:
        """Yield what is to be sent."""
        yield BEGIN
        if self._snapshot is not None:
            yield self._framed("snapshot", snapshot_of(self._snapshot, self._type))
            self._said = change_of(self._snapshot)
        spoke = anyio.current_time()
        while True:
            async for part in self._turn():
                spoke = anyio.current_time()
                yield part
            if self._is_over or self._listener.has_gap:
                return
            self._missed = await self._listener.receive_all(min(A_LOOK, self._silence))
            if not self._missed and anyio.current_time() - spoke >= self._silence.total_seconds():
                spoke = anyio.current_time()
                yield HEARTBEAT

    async def _turn(self) -> Frames:
        """Yield what has happened since the last turn."""
        for item in self._missed:
            if isinstance(item, Chunk):
                yield self._streamed(item)
                continue
            if is_end(item):
                async for part in self._left():
                    yield part
            told = await self._told(item)
            if told is not None:
                yield told
            if self._is_over:
                return
        async for part in self._left() if self._is_over else self._new_rows():
            yield part

    async def _left(self) -> Frames:
        """Yield all that is not told yet of a task that has ended."""
        for chunk in await self._listener.chunks.rest():
            yield self._streamed(chunk)
        async for part in self._new_rows(now=True):
            yield part

    def _streamed(self, chunk: Chunk[object]) -> bytes:
        self._cursor = replace(self._cursor, chunk=chunk.id)
        said = {"index": chunk.index, "attempt": chunk.attempt, "data": chunk.data}
        return self._framed("chunk", said)

    async def _new_rows(self, *, now: bool = False) -> Frames:
        while rows := await self._rows.behind(self._cursor.rows, now=now):
            for row in rows:
                self._cursor = replace(self._cursor, rows=self._cursor.rows + 1)
                yield self._framed("log", {"row": row})

    async def _told(self, event: QueueEvent) -> bytes | None:
        """Return what a client is told of an event."""
        self._cursor = replace(self._cursor, event=event.id)
        self._is_over = is_end(event)
        match event.event:
            case "progress":
                return self._framed("progress", event.progress)
            case "completed":
                return self._framed("completed", {"result": event.result})
            case "failed" | "removed":
                look = await self._queue.look(self._job_id)
                made = look.job.attempts_made if look is not None else 0
                reason = REMOVED if event.event == "removed" else event.reason
                return self._framed("failed", {"error": reason, "attempts_made": made})
            case kind if kind in MOVES:
                return await self._moved(event)
        return None

    async def _moved(self, event: QueueEvent) -> bytes | None:
        look = await self._queue.look(self._job_id)
        if look is None or look.state.is_final:
            return None  # how it ended comes as an event of its own
        said = change_of(look)
        if event.event == "active":
            said |= {"state": "active", "error": None, "due_at": None}
        if said == self._said:
            return None
        self._said = said
        return self._framed("state", said)

    def _framed(self, event: str, data: object) -> bytes:
        return frame(event, data, str(self._cursor))

    async def _listen(self, known: Cursor) -> None:
        self._listener = await self._listening.enter_async_context(
            self._queue.listen_to_job(self._job_id, after=known.event, chunks_after=known.chunk)
        )

    def _knows_end(self) -> bool:
        return any(isinstance(one, QueueEvent) and is_end(one) for one in self._missed)

    def _gone(self) -> JobNotFoundError:
        return JobNotFoundError(job_id=self._job_id, queue=self._queue.name)


def is_end(event: QueueEvent) -> bool:
    """Tell whether nothing follows an event of a task."""
    return event.event in ENDINGS
