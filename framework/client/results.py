"""Waiting for results: one stream reader and one look a second, however many wait."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
import structlog
from anyio.abc import TaskGroup

from framework.errors import (
    FrameworkError,
    JobFailedError,
    JobNotFoundError,
    RedisUnavailableError,
    ResultTimeoutError,
)
from framework.model.events import QueueEvent
from framework.model.job import JobId
from framework.model.spans import check_span
from framework.store.event_stream import follow_events, last_endings, last_event_id
from framework.store.reads import read_results
from framework.store.store import Store
from framework.wire.codes import NOT_FOUND
from framework.wire.job_hash import json_value
from framework.wire.keys import QueueKeys, may_be_job
from framework.wire.payload import Codec, encode_json

log = structlog.get_logger("framework.results")

MOST_AT_ONCE = 1000
LOOK_MS = 1000


@dataclass(slots=True)
class Answer:
    """What became of a job.

    Attributes:
        result: The JSON text that it returned.
        reason: Why it failed; None if it did not.
        is_gone: There is no such job any more.
    """

    result: bytes = b"null"
    reason: str | None = None
    stacktrace: tuple[str, ...] = ()
    is_gone: bool = False


@dataclass(eq=False, slots=True)
class Waiting:
    """Somebody who waits for a job."""

    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Answer | None = None

    def tell(self, answer: Answer) -> None:
        """Answer; the first answer counts."""
        if self.answer is None:
            self.answer = answer
            self.done.set()


class Results:
    """Waits for the results of one queue's jobs.

    Args:
        store: Where the queue is.
        keys: The queue.
        tasks: Owns the reader, which runs while somebody waits.
    """

    def __init__(self, store: Store, keys: QueueKeys, tasks: TaskGroup) -> None:
        self._store = store
        self._keys = keys
        self._tasks = tasks
        self._waiting: dict[JobId, list[Waiting]] = {}
        self._is_reading = False

    async def wait(self, job_id: JobId, codec: Codec[Any], timeout: timedelta) -> Any:  # noqa: ANN401 - the codec knows
        """Return a job's result once it has completed.

        Raises:
            JobFailedError: It failed for good.
            JobNotFoundError: There is no such job, or its retention has ended.
            ResultTimeoutError: Not within ``timeout``; the job goes on.
            PayloadError: The result does not fit its type.
        """
        check_span("timeout", timeout)
        if not may_be_job(job_id):
            raise JobNotFoundError(job_id=job_id, queue=self._keys.queue, code=NOT_FOUND)
        one = Waiting()
        self._waiting.setdefault(job_id, []).append(one)
        try:
            with anyio.move_on_after(timeout.total_seconds()):
                if not self._is_reading:
                    self._is_reading = True
                    self._tasks.start_soon(self._read)
                else:
                    with suppress(RedisUnavailableError):  # the reader tries again each second
                        await self._look([job_id])
                await one.done.wait()
        finally:
            self._forget(job_id, one)
        return self._read_answer(job_id, one.answer, codec, timeout)

    def _read_answer(
        self, job_id: JobId, answer: Answer | None, codec: Codec[Any], timeout: timedelta
    ) -> object:
        queue = self._keys.queue
        if answer is None:
            raise ResultTimeoutError(job_id=job_id, queue=queue, timeout=timeout)
        if answer.is_gone:
            raise JobNotFoundError(job_id=job_id, queue=queue, code=-1)
        if answer.reason is not None:
            raise JobFailedError(
                job_id=job_id, queue=queue, reason=answer.reason, stacktrace=answer.stacktrace
            )
        value: object = codec.decode(answer.result)
        return value

    def _forget(self, job_id: JobId, one: Waiting) -> None:
        all_of_job = self._waiting.get(job_id, [])
        if one in all_of_job:
            all_of_job.remove(one)
        if not all_of_job:
            self._waiting.pop(job_id, None)

    async def _read(self) -> None:
        """Follow the stream, and look at the jobs themselves on any gap and every second."""
        try:
            after = await last_event_id(self._store, self._keys)
            await self._look(list(self._waiting))
            looked = anyio.current_time()
            async for events in follow_events(self._store, self._keys, after, block_ms=LOOK_MS):
                for event in events:
                    await self._hear(event)
                if not self._waiting:
                    return
                if anyio.current_time() - looked >= LOOK_MS / 1000:
                    await self._look(list(self._waiting))
                    looked = anyio.current_time()
        except FrameworkError as error:
            log.warning("results cannot be read now", error=str(error), queue=self._keys.queue)
            await anyio.sleep(LOOK_MS / 1000)
        finally:
            self._is_reading = False
            if self._waiting and not self._tasks.cancel_scope.cancel_called:
                self._is_reading = True
                self._tasks.start_soon(self._read)

    async def _hear(self, event: QueueEvent) -> None:
        if event.job_id is None or event.job_id not in self._waiting:
            return
        if event.event == "completed":
            self._tell(event.job_id, told_by(event))
        elif event.event == "failed":
            # The hash knows the traces too.
            await self._look([event.job_id])

    def _tell(self, job_id: JobId, answer: Answer) -> None:
        for one in self._waiting.get(job_id, ()):
            one.tell(answer)

    async def _look(self, ids: list[JobId]) -> None:
        for first in range(0, len(ids), MOST_AT_ONCE):
            part = ids[first : first + MOST_AT_ONCE]
            found = await read_results(self._store, self._keys, part)
            gone = []
            for job_id, (code, text, stack) in zip(part, found, strict=True):
                if code < 0:
                    gone.append(job_id)
                elif code:
                    self._tell(job_id, answer_of(code, text, stack))
            if gone:
                await self._look_back(gone)

    async def _look_back(self, gone: list[JobId]) -> None:
        """Ask the events: they are all that is left of a job that was removed as it ended."""
        endings = await last_endings(self._store, self._keys, gone)
        for job_id in gone:
            event = endings.get(job_id)
            self._tell(job_id, told_by(event) if event else Answer(is_gone=True))


def told_by(event: QueueEvent) -> Answer:
    """Read what an event ``completed`` or ``failed`` says of its job."""
    if event.event == "completed":
        return Answer(result=encode_json(event.result))
    return Answer(reason=event.reason or "")


def answer_of(code: int, text: bytes, stack: bytes) -> Answer:
    """Read what the script ``results`` says of a job that has ended."""
    if code == 1:
        return Answer(result=text)
    rows = json_value(stack, [])
    traces = tuple(map(str, rows)) if isinstance(rows, list) else ()
    return Answer(reason=text.decode(errors="replace"), stacktrace=traces)
