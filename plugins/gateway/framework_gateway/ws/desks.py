"""The desks of a gateway: one for each queue that has remote workers, and duration of locks."""

from datetime import timedelta

import anyio
from anyio.abc import TaskGroup

from framework import Workers
from framework_gateway.ws.desk import LINGER_SECONDS, Desk


class Desks:
    """All desks of a gateway.

    Args:
        workers: The application's.
        tasks: Where those are closed that nobody needs any more.
    """

    def __init__(self, workers: Workers, tasks: TaskGroup) -> None:
        self._workers = workers
        self._tasks = tasks
        self._desks: dict[tuple[str, timedelta], Desk] = {}

    async def get(self, queue: str, lock: timedelta) -> Desk:
        """Return the desk of a queue, open. Raises as `Desk.open`."""
        place = queue, lock
        desk = self._desks.get(place)
        if desk is None:
            desk = self._desks[place] = Desk(self._workers, queue, lock, self._idle)
        await desk.open()
        return desk

    async def close(self) -> None:
        """Close all; jobs in hand may end."""
        async with anyio.create_task_group() as tasks:
            for desk in self._desks.values():
                tasks.start_soon(desk.close)

    def _idle(self, desk: Desk) -> None:
        self._tasks.start_soon(self._close_if_idle, desk)

    async def _close_if_idle(self, desk: Desk) -> None:
        await anyio.sleep(LINGER_SECONDS)
        place = desk.queue, desk.lock
        if desk.is_idle and self._desks.get(place) is desk:
            del self._desks[place]
            await desk.close()
