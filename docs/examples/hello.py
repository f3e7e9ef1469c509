"""The smallest program: a job is declared, added, run and awaited."""

import anyio
from pydantic import BaseModel

from framework import Application, Job, Producer, processor


class Greet(BaseModel):
    name: str


@processor("greetings", concurrency=5)
class Greeter:
    async def process(self, job: Job[Greet]) -> str:
        return f"Hello, {job.data.name}!"


async def main() -> None:
    async with Application(__name__) as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)  # its workers; leave this out where others run them
        greetings = await app.get(Producer[Greet, str])
        job = await greetings.add(Greet(name="Ada"))
        print(await greetings.result(job))
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
