"""A darkroom: tasks that are started, watched, stopped and tried again."""

from datetime import timedelta

import anyio
from pydantic import BaseModel

from framework import Application, Context, Job, JobFailedError, ResultTimeoutError
from framework_web import TaskId, TaskProgress, Tasks, TaskUpdate, task


class Negative(BaseModel):
    title: str
    minutes: int = 4


@task("print", attempts=2, backoff=timedelta(seconds=0.1))
async def print_photo(job: Job[Negative], ctx: Context) -> str:
    if job.data.title == "blank":
        raise ValueError("there is nothing on the film")
    for minute in range(job.data.minutes):
        await ctx.progress(TaskProgress(current=minute, total=job.data.minutes))
        await ctx.checkpoint()
        await anyio.sleep(0.01)
    return f"{job.data.title}.jpg"


async def start(tasks: Tasks) -> None:
    photo = await tasks.add("print", Negative(title="harbour"))
    print(await tasks.wait(photo))

    same = await tasks.add("print", Negative(title="bridge"), job_id="order-7")
    also = await tasks.add("print", Negative(title="tower"), job_id="order-7")
    print(same == also, await tasks.wait("order-7", type="print"))


async def watch(tasks: Tasks) -> None:
    over = anyio.Event()

    def show(kind: str, task_id: TaskId, update: TaskUpdate) -> None:
        match update.progress:
            case TaskProgress(percentage=percentage):
                print(f"{kind} {task_id}: {percentage:g} %")
            case _:
                print(f"{kind} {task_id}: {update.event} {update.error or ''}".rstrip())
        if update.event == "failed":
            over.set()

    unsubscribe = await tasks.on_update(show)
    await tasks.wait(await tasks.add("print", Negative(title="pier", minutes=2), job_id="pier"))
    await tasks.add("print", Negative(title="blank"), job_id="blank")
    await over.wait()
    unsubscribe()


async def stop(tasks: Tasks) -> None:
    long = await tasks.add("print", Negative(title="panorama", minutes=1_000_000))
    try:
        await tasks.wait(long, timedelta(seconds=0.2))
    except ResultTimeoutError:
        print("not yet")
    await tasks.pause(long)
    await tasks.resume(long)
    await tasks.remove(long)
    try:
        await tasks.wait(long)
    except JobFailedError as error:
        print(error.reason)
    await tasks.remove(long)
    print(await tasks.get(long))


async def try_again(tasks: Tasks) -> None:
    for letter in await tasks.dead_letters("print"):
        print(f"{letter.data['title']}: {letter.reason}, tried {letter.attempts_made} times")
        await tasks.retry(letter.id)
    try:
        await tasks.wait("blank", type="print")
    except JobFailedError:
        print("all again:", await tasks.retry_all("print"))


async def enlarge(job: Job[str]) -> str:
    return f"{job.data}, but larger"


async def register(tasks: Tasks) -> None:
    await tasks.register("enlarge", enlarge, concurrency=1, attempts=1)
    print(await tasks.wait(await tasks.add("enlarge", "harbour.jpg")))


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as background:
        tasks = await app.get(Tasks)
        await background.start(app.work)
        await start(tasks)
        await watch(tasks)
        await stop(tasks)
        await try_again(tasks)
        await register(tasks)
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
