"""An event of a queue as clients get it: its fields as BullMQ's listeners see them, and its id."""

from pydantic_core import to_json

from framework import QueueEvent
from framework_gateway.scheduler_json import ms_of


def event_fields(event: QueueEvent) -> dict[str, object]:
    """Return the fields of an event without its name; results and progress as JSON values."""
    fields: dict[str, object] = {}
    if event.job_id is not None:
        fields["jobId"] = event.job_id
    fields.update(event.fields)
    if event.event == "completed":
        fields["returnvalue"] = event.result
    if event.event == "progress":
        fields["data"] = event.progress
    if event.reason is not None:
        fields["failedReason"] = event.reason
    if event.due is not None:
        fields["delay"] = str(ms_of(event.due))
    if event.prev is not None:
        fields["prev"] = event.prev
    return fields


def event_args(event: QueueEvent) -> bytes:
    """Return the arguments of a listener as JSON: ``[{fields}, "stream id"]``."""
    return to_json([event_fields(event), event.id])
