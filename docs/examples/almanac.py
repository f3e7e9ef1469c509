"""An almanac: jobs at set times, declared and by hand."""

from datetime import UTC, datetime, timedelta

import anyio
from pydantic import BaseModel

from framework import (
    Application,
    Cron,
    Every,
    Job,
    Queue,
    Schedule,
    cron,
    handles,
    processor,
)


class Report(BaseModel):
    region: str = "everywhere"


@processor("reports")
class Reports:
    async def process(self, job: Job[Report]) -> None:
        print(f"report of {job.data.region}")

    @cron("0 4 * * SUN", tz="Europe/Rome")
    @handles("tidy-up")
    async def tidy_up(self, job: Job[None]) -> None:
        print("tidied up")


south = Schedule(
    "south", Cron("30 8 * * MON-FRI", tz="America/Santiago"), Report(region="the south"), attempts=3
)
pulse = Schedule(
    "pulse", Every(timedelta(seconds=0.05)), Report(region="the coast"), limit=2, overlap="skip"
)


async def by_hand(reports: Queue) -> None:
    run = await reports.upsert_job_scheduler(
        "leap-day",
        Cron("0 0 12 29 2 *"),
        "report",
        {"region": "the calendar"},
        start=datetime(2029, 1, 1, tzinfo=UTC),
    )
    print(f"next: {run}")

    for found in sorted(await reports.job_schedulers(), key=lambda one: one.id):
        if found.pattern:
            print(f"{found.id}: {found.pattern} {found.tz}, {found.data}")

    await reports.remove_job_scheduler("leap-day")


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        reports, left = app.queue("reports"), 2
        async with reports.listen(after="0") as listener:
            while left > 0:
                left -= sum(event.event == "completed" for event in await listener.receive())
        await by_hand(reports)
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
