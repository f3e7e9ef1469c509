"""Between an entry of the event stream and a `QueueEvent`."""

from collections.abc import Sequence

from framework.model.events import Chunk, QueueEvent
from framework.model.job import JobId
from framework.wire.job_hash import json_value, number
from framework.wire.millis import instant_from_ms

KNOWN = frozenset({b"event", b"jobId", b"prev", b"returnvalue", b"failedReason"})


def job_of(flat: Sequence[bytes]) -> bytes | None:
    """Return the id of the job that an entry is about."""
    at = next((at for at in range(0, len(flat) - 1, 2) if flat[at] == b"jobId"), None)
    return None if at is None else flat[at + 1]


def decode_chunk(entry_id: bytes, flat: Sequence[bytes]) -> Chunk[object]:
    """Read one part of what a job streams; its data as JSON has it."""
    fields = dict(zip(flat[::2], flat[1::2], strict=False))
    return Chunk(
        index=number(fields, b"index"),
        attempt=number(fields, b"attempt"),
        data=json_value(fields.get(b"data"), None),
        id=entry_id.decode(),
    )


def decode_event(queue: str, entry_id: bytes, flat: Sequence[bytes]) -> QueueEvent:
    """Read one stream entry.

    What is no JSON where JSON belongs comes back as text: one bad entry of a peer
    never ends a reader.

    Args:
        queue: The queue's name.
        entry_id: The stream id.
        flat: Field, value, field, value …
    """
    fields = dict(zip(flat[::2], flat[1::2], strict=False))
    event = fields.get(b"event", b"").decode(errors="replace")
    job_id = fields.get(b"jobId")
    is_delayed = event == "delayed" and b"delay" in fields
    reason = fields.get(b"failedReason")
    known = KNOWN.union((b"data",) * (event == "progress"), (b"delay",) * is_delayed)
    return QueueEvent(
        event=event,
        id=entry_id.decode(),
        queue=queue,
        job_id=None if job_id is None else JobId(job_id.decode(errors="replace")),
        prev=fields[b"prev"].decode(errors="replace") if b"prev" in fields else None,
        result=json_value(fields.get(b"returnvalue"), None),
        reason=None if reason is None else reason.decode(errors="replace"),
        progress=json_value(fields.get(b"data"), None) if event == "progress" else None,
        due=instant_from_ms(number(fields, b"delay")) if is_delayed else None,
        fields={
            name.decode(errors="replace"): value.decode(errors="replace")
            for name, value in fields.items()
            if name not in known
        },
    )
