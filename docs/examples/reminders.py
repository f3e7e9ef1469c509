"""Reminders: jobs that run later, retries, and an endpoint that adds them."""

from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from framework import Context, Exponential, Failed, Job, JobOptions, Producer, on_event, processor
from framework.asgi import inject

log = structlog.get_logger()


class Reminder(BaseModel):
    user_id: int
    text: str = Field(max_length=280)


@processor(
    "reminders",
    concurrency=10,
    defaults=JobOptions(attempts=3, backoff=Exponential(timedelta(seconds=1))),
)
class Reminders:
    async def process(self, job: Job[Reminder], ctx: Context) -> str:
        await ctx.log(f"attempt {ctx.attempt} of {job.attempts}")
        log.info("reminding", user=job.data.user_id)
        return f"reminded user {job.data.user_id}"

    @on_event("failed")
    async def tell_someone(self, event: Failed[Reminder]) -> None:
        if not event.will_retry:
            log.error("reminder lost", job=event.job.id, reason=event.reason)


router = APIRouter()
ToReminders = Annotated[Producer[Reminder], Depends(inject(Producer[Reminder]))]


@router.post("/reminders", status_code=202)
async def create_reminder(body: Reminder, reminders: ToReminders) -> dict[str, str]:
    job = await reminders.add(body, delay=timedelta(seconds=5))
    return {"job_id": job.id}
