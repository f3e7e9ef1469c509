"""Scans of documents: reading one of them crashes the process."""

import os
from typing import Any

from framework import Failed, Job, JobQuarantinedError, on_event, processor


@processor("scans", concurrency=10)
class Scans:
    async def process(self, job: Job[dict[str, Any]]) -> int:
        if job.data["file"] == "odd.tiff":
            os.abort()  # as a C library does that stumbles over it
        return len(job.data["file"])

    @on_event("failed")
    async def tell(self, event: Failed[dict[str, Any]]) -> None:
        if isinstance(event.error, JobQuarantinedError):
            print(f"look at {event.job.data['file']}: {event.error.last.cause}", flush=True)
