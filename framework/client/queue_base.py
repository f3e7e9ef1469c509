"""What every part of `Queue` stands on."""

from typing import Any, Literal

from framework.client.line import Line
from framework.errors import JobNotFoundError, OptionsError
from framework.model.job import Job, JobId, JobState
from framework.store.reads import RawFields
from framework.wire.codes import NOT_FOUND
from framework.wire.job_hash import StoredJob
from framework.wire.keys import may_be_job
from framework.wire.payload import codec_of

ANY = codec_of(Any)
FinishedState = Literal[JobState.COMPLETED, JobState.FAILED, "completed", "failed"]


def known_state(state: JobState | str) -> JobState:
    """Refuse a state that there is not; BullMQ's ``wait`` is ``waiting`` here."""
    try:
        return JobState(state)
    except ValueError:
        known = ", ".join(JobState)
        raise OptionsError("state", f"there is no {state!r}; there are: {known}") from None


def finished(state: FinishedState) -> JobState:
    """Refuse a state that is not final."""
    wanted = known_state(state)
    if not wanted.is_final:
        raise OptionsError("state", f"it is completed or failed, got {wanted}")
    return wanted


def check_whole(**numbers: object) -> None:
    """Refuse what is no whole number, by the name of its argument."""
    for name, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool):
            raise OptionsError(name, f"it is a whole number, got {number!r}")


class QueueBase:
    """One queue by its name.

    Attributes:
        name: The queue's name.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._store = line.store
        self._keys = line.keys
        self.name = line.keys.queue

    def _stored(self, job_id: JobId, fields: RawFields) -> Job[Any, Any]:
        job: StoredJob[Any, Any] = StoredJob(self._keys, job_id, fields, (ANY, ANY))
        return job

    def _id(self, job_id: str) -> JobId:
        """Return an id that a job can have; there is no job of any other."""
        if not may_be_job(job_id):
            raise JobNotFoundError(job_id=job_id, queue=self.name, code=NOT_FOUND)
        return JobId(job_id)
