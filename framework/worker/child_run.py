"""A run in a child process: what it reads and writes, it asks of the worker that holds the job."""

import asyncio  # noqa: TID251 - the other side's answer is set, not awaited
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, TypeVar, cast

from anyio.from_thread import BlockingPortal
from typing_extensions import TypeVarTuple, Unpack, override

from framework.model.job import ChildCounts, Token
from framework.store.reads import RawFields
from framework.wire.job_hash import StoredJob
from framework.wire.payload import Codec
from framework.worker.carrying import pairs_of, refused
from framework.worker.frames import Link, Message
from framework.worker.run import Run
from framework.worker.slots import WhyCancelled

V = TypeVar("V")
Ts = TypeVarTuple("Ts")


class Questions:
    """What a child has asked its worker and not heard of yet."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._open: dict[int, asyncio.Future[Message]] = {}
        self._numbers = count(1)

    async def ask(self, what: str, *parts: bytes, **facts: object) -> Message:
        """Ask, and wait for the answer.

        Raises:
            FrameworkError: The worker was refused; as there.
        """
        number = next(self._numbers)
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            await self._link.send(Message("ask", {"what": what, "number": number, **facts}, parts))
            message = await answer
        finally:
            del self._open[number]
        if "error" in message.facts:
            raise refused(message.facts)
        return message

    def close(self) -> None:
        """Give up on all that is open: nobody listens any more."""
        for answer in self._open.values():
            answer.cancel()

    def hear(self, message: Message) -> None:
        """Take an answer in."""
        answer = self._open.get(message.facts["number"])
        if answer is not None and not answer.done():
            answer.set_result(message)


class ChildRun(Run):
    """A run whose job another process holds.

    Args:
        job: What runs.
        token: What holds it.
        data: Writes its payload.
        questions: The way to the worker.
        portal: The way from the main thread into the loop.
    """

    def __init__(
        self,
        job: StoredJob[Any, Any],
        token: Token,
        data: Codec[Any],
        questions: Questions,
        portal: BlockingPortal,
    ) -> None:
        self.job = job
        self.token = token
        self.data = data
        self.is_over = False
        self._questions = questions
        self._portal = portal
        self._is_cancelled = False
        self._is_pausing = False

    @property
    @override
    def is_cancelled(self) -> bool:
        return self._is_cancelled

    @property
    @override
    def why_cancelled(self) -> WhyCancelled | None:
        return None

    @property
    @override
    def is_pausing(self) -> bool:
        return self._is_pausing

    @override
    def look(self) -> None:
        self.wait_for(self._ask, "asks")

    def cancel(self) -> None:
        """Let the handler know that it should end."""
        self._is_cancelled = True

    async def _ask(self, what: str, *parts: bytes, **facts: object) -> Message:
        if self.is_over:
            raise RuntimeError(f"job {self.job.id} has ended; its context is of no use any more")
        answer = await self._questions.ask(what, *parts, **facts)
        self._is_pausing = answer.facts["is_pausing"]
        return answer

    @override
    async def progress(self, text: bytes, progress: object) -> None:
        await self._ask("progress", text)

    @override
    async def log(self, row: str) -> None:
        await self._ask("log", row=row)

    @override
    async def stream(self, text: bytes) -> None:
        await self._ask("stream", text)

    @override
    async def save(self, field: str, text: bytes) -> None:
        await self._ask("save", text, field=field)

    @override
    async def pending_and_failed(self) -> tuple[bool, str | None]:
        answer = await self._ask("pending_and_failed")
        return answer.facts["is_pending"], answer.facts["failed"]

    @override
    async def children_values(self) -> RawFields:
        return pairs_of((await self._ask("children_values")).parts)

    @override
    async def ignored_children(self) -> RawFields:
        return pairs_of((await self._ask("ignored_children")).parts)

    @override
    async def failed_children(self) -> list[str]:
        keys: list[str] = (await self._ask("failed_children")).facts["keys"]
        return keys

    @override
    async def child_counts(self) -> ChildCounts:
        return ChildCounts(*(await self._ask("child_counts")).facts["counts"])

    @override
    def wait_for(self, function: Callable[[Unpack[Ts]], Coroutine[Any, Any, V]], *args: *Ts) -> V:
        async def guarded() -> tuple[V, None] | tuple[None, BaseException]:
            # What is no `Exception` (a wish) would end the portal itself.
            try:
                return await function(*args), None
            except BaseException as error:  # raised again below
                return None, error

        value, error = self._portal.call(guarded)
        if error is not None:
            raise error
        return cast("V", value)
