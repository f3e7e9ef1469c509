"""Invoices: a job of several steps that goes on where it was."""

from datetime import timedelta
from enum import StrEnum

import anyio
from pydantic import BaseModel

from framework import Application, Context, Job, JobOptions, Producer, processor


class Step(StrEnum):
    CHARGE = "charge"
    PRINT = "print"
    SEND = "send"


class Invoice(BaseModel):
    cents: int
    step: Step = Step.CHARGE
    receipt: str = ""


class OutOfPaperError(Exception):
    """Somebody will bring some."""


@processor("invoices", defaults=JobOptions(attempts=3, backoff=timedelta(seconds=0.1)))
class Invoices:
    async def process(self, job: Job[Invoice], ctx: Context) -> str:
        if job.data.step is Step.CHARGE:
            receipt = charge(job.data.cents, key=job.id)
            job = await ctx.save(job, with_step(job.data, Step.PRINT, receipt=receipt))
        if job.data.step is Step.PRINT:
            print_on_paper(job.data.receipt, ctx.attempt)
            job = await ctx.save(job, with_step(job.data, Step.SEND))
        print("sent")
        return job.data.receipt


def with_step(invoice: Invoice, step: Step, **more: str) -> Invoice:
    return invoice.model_copy(update={"step": step, **more})


def charge(cents: int, key: str) -> str:
    print(f"charged {cents} cents")
    return f"receipt for order {key}"


def print_on_paper(text: str, attempt: int) -> None:
    if attempt == 1:
        print("no paper")
        raise OutOfPaperError("the printer is out of paper")
    print(f"printed, attempt {attempt}")


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        invoices = await app.get(Producer[Invoice, str])
        print(await invoices.result(await invoices.add(Invoice(cents=500))))
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
