"""Makes a film, workers included."""

import anyio

from framework import Application


async def main() -> None:
    async with Application("films") as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        films = app.queue("films")
        job = await films.add("film", {"title": "Metropolis", "frames": 10})
        print("brightness:", await films.result(job))
        print("log:", *await films.logs(job.id))
        app.stop()


if __name__ == "__main__":
    anyio.run(main)
