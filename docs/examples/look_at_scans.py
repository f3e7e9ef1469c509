"""Adds scans, waits for what becomes of them, and looks at the one that fell."""

import anyio

from framework import Application, JobFailedError


async def main() -> None:
    async with Application("scans") as app:
        scans = app.queue("scans")
        added = await scans.add_bulk(
            [("scan", {"file": file}) for file in ("a.tiff", "odd.tiff", "b.tiff")]
        )
        for job in added:
            try:
                print(job.data["file"], await scans.result(job))
            except JobFailedError as error:
                print(job.data["file"], error.reason)
                print(*await scans.logs(job.id), sep="\n")


if __name__ == "__main__":
    anyio.run(main)
