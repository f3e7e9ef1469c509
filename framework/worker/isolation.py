"""Run jobs in child processes: a crash ends one job, and computing holds up no other."""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any

import structlog
from pydantic_core import from_json

from framework.errors import FrameworkError, PayloadError, ProcessStartError
from framework.model.outcome import Parked
from framework.wire.job_hash import StoredJob
from framework.wire.payload import Codec, codec_of
from framework.worker.carrying import handler_error_of, in_a_row, job_message, refusal, wish_of
from framework.worker.children import Children
from framework.worker.frames import Message
from framework.worker.run import HeldRun, Run
from framework.worker.runner import RunsJobs

log = structlog.get_logger("framework.worker")


@dataclass(frozen=True, slots=True)
class IsolatedRunner:
    """Runs the jobs of one handler in child processes.

    Attributes:
        children: Where they run.
        data: Reads the payload.
        result: Reads what was returned.
    """

    children: Children
    data: Codec[Any]
    result: Codec[Any]

    async def run(
        self, job: StoredJob[Any, Any], run: Callable[[], HeldRun]
    ) -> tuple[object, bytes]:
        """Run a job; return what its handler returned, and that as JSON text.

        A cancelled run returns once its process is gone: no other runs beside it.

        Raises:
            Parked: The job leaves early.
            HandlerError: What the handler raised.
            ProcessCrashedError: Its process ended.
            ProcessStartError: No process could be started.
        """
        held = run()
        held.prepare()
        ending = await self.children.run(
            job_message(job, held.token), partial(answer, held), held.begin
        )
        match ending.kind:
            case "done":
                text = ending.parts[0]
                return self._read(text), text
            case "parked":
                raise Parked(wish_of(ending))
            case _:
                raise handler_error_of(ending)

    def _read(self, text: bytes) -> object:
        """Return a result as hooks see it; one that its own type does not read, as it is."""
        try:
            return self.result.decode(text)
        except PayloadError:
            return codec_of(Any).decode(text)


@dataclass(frozen=True, slots=True)
class LoneRunner:
    """Runs the jobs of one handler in child processes; where none can be wired, among the others.

    Attributes:
        isolated: Runs them in child processes.
        here: Runs them as jobs are run that are no suspects.
    """

    isolated: IsolatedRunner
    here: RunsJobs

    @property
    def data(self) -> Codec[Any]:
        """Reads the payload."""
        return self.here.data

    @property
    def result(self) -> Codec[Any]:
        """Reads and writes the result."""
        return self.here.result

    async def run(
        self, job: StoredJob[Any, Any], run: Callable[[], HeldRun]
    ) -> tuple[object, bytes]:
        """Run a job; return what its handler returned, and that as JSON text.

        Raises:
            ProcessCrashedError: Its process ended.
        """
        try:
            return await self.isolated.run(job, run)
        except ProcessStartError as error:
            # Whoever killed its workers, the job itself has done nothing to fail for.
            facts = {"job": job.id, "queue": job.queue}
            log.warning("a suspect runs beside other jobs", why=str(error), **facts)
            run().begin()
        return await self.here.run(job, run)


async def answer(run: Run, question: Message) -> Message:
    """Do what a child asks for its job, and return what to tell it."""
    number = question.facts["number"]
    try:
        told = await do(run, question)
        facts, parts = told.facts, told.parts
    except FrameworkError as error:
        facts, parts = refusal(error), ()
    return Message("answer", {**facts, "number": number, "is_pausing": run.is_pausing}, parts)


async def do(run: Run, question: Message) -> Message:
    """Do what a child asks."""
    match question.facts["what"]:
        case "progress":
            text = question.parts[0]
            await run.progress(text, from_json(text))
        case "asks":
            pass
        case "log":
            await run.log(question.facts["row"])
        case "stream":
            await run.stream(question.parts[0])
        case "save":
            await run.save(question.facts["field"], question.parts[0])
        case what:
            return await look(run, what)
    return Message("told")


async def look(run: Run, what: str) -> Message:
    """Look at the children of a child's job."""
    match what:
        case "pending_and_failed":
            is_pending, failed = await run.pending_and_failed()
            return Message("told", {"is_pending": is_pending, "failed": failed})
        case "children_values":
            return Message("told", parts=in_a_row(await run.children_values()))
        case "ignored_children":
            return Message("told", parts=in_a_row(await run.ignored_children()))
        case "failed_children":
            return Message("told", {"keys": await run.failed_children()})
        case "child_counts":
            return Message("told", {"counts": astuple(await run.child_counts())})
        case unknown:
            raise FrameworkError(f"a child asks for {unknown}, which is not known")
