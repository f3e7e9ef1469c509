"""The web app: adds jobs, and tells how they are doing."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import AfterValidator

from framework import JobState
from framework.asgi import inject, lifespan
from starter.pages import files, pages
from starter.service import DemoJobs

WEEK_MS = 7 * 24 * 3600 * 1000
MOST_FAILURES = 20


def whole_number(most: int) -> AfterValidator:
    """Check a parameter that is echoed as it came: 0 to ``most``."""

    def check(text: str) -> str:
        if not (text.isascii() and text.isdecimal() and int(text) <= most):
            raise ValueError(f"must be a whole number from 0 to {most}")
        return text

    return AfterValidator(check)


Jobs = Annotated[DemoJobs, Depends(inject(DemoJobs))]
Millis = Annotated[str, whole_number(WEEK_MS)]
Failures = Annotated[str, whole_number(MOST_FAILURES)]

api = FastAPI(title="starter", lifespan=lifespan("starter"))
api.include_router(pages)
api.mount("/site", files)


@api.get("/demo/echo")
async def echo(jobs: Jobs, msg: str = "hello") -> dict[str, object]:
    """Add a job that says the message back."""
    job = await jobs.echo(msg)
    return {"queued": True, "jobId": job.id, "type": job.name, "msg": msg}


@api.get("/demo/delay")
async def delay(jobs: Jobs, msg: str = "delayed hello", ms: Millis = "5000") -> dict[str, object]:
    """Add a job that runs so many milliseconds from now."""
    job = await jobs.echo(msg, delay=timedelta(milliseconds=int(ms)))
    return {"queued": True, "jobId": job.id, "type": job.name, "delayMs": ms}


@api.get("/demo/retry")
async def retry(jobs: Jobs, msg: str = "retry me", fail: Failures = "1") -> dict[str, object]:
    """Add a job that fails so many times, and then succeeds."""
    job = await jobs.retry(msg, int(fail))
    return {"queued": True, "jobId": job.id, "type": job.name, "failTimes": fail}


@api.get("/demo/jobs/{job_id}")
async def show_job(jobs: Jobs, job_id: str) -> dict[str, object]:
    """Tell how a job is doing."""
    found = await jobs.find(job_id)
    if found is None:
        raise HTTPException(404, f'queue "demo" has no job {job_id}')
    state, job = found
    report: dict[str, object] = {
        "jobId": job.id,
        "type": job.name,
        "state": state,
        "progress": job.progress,
        "attempts": job.attempts_made,
    }
    if state is JobState.COMPLETED:
        report["result"] = job.result
    elif job.failed_reason is not None:
        report["error"] = job.failed_reason
    return report
