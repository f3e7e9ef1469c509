"""Where idle tasks wait: a bare future, since an anyio event costs four times as much a job."""

import asyncio


class Parking:
    """Tasks that wait until somebody has work for them."""

    __slots__ = ("_parked",)

    def __init__(self) -> None:
        self._parked: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        """How many tasks wait."""
        return len(self._parked)

    async def wait(self) -> None:
        """Wait to be woken."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parked.append(place)
        try:
            await place
        except BaseException:
            if place in self._parked:
                self._parked.remove(place)
            raise

    def wake(self, count: int = 1) -> int:
        """Wake at most ``count`` tasks, the last to come first; return how many."""
        woken = 0
        while woken < count and self._parked:
            place = self._parked.pop()
            if not place.done():
                place.set_result(None)
                woken += 1
        return woken

    def wake_all(self) -> None:
        """Wake every task."""
        self.wake(len(self._parked))
