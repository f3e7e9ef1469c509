"""Limits that hold for a whole queue, whoever works it."""

from datetime import timedelta

from framework.client.queue_base import QueueBase
from framework.declare.mark import Limiter
from framework.errors import OptionsError
from framework.model.spans import check_span
from framework.store import limits
from framework.wire.millis import from_ms, to_ms
from framework.wire.options import MAX_INT, whole


def at_least_one(name: str, number: int) -> int:
    """Refuse what lets no job through."""
    if whole({name: number}, name, MAX_INT) == 0:
        raise OptionsError(name, "0 lets no job through; pause the queue instead")
    return number


class QueueLimits(QueueBase):
    """How much may run at once, and in a time."""

    async def global_concurrency(self) -> int | None:
        """Return how many jobs may run at once over all workers; None: no limit.

        Wire: reads the ``meta`` field ``concurrency``.
        """
        (number,) = await limits.meta_numbers(self._store, self._keys, "concurrency")
        return number

    async def set_global_concurrency(self, concurrency: int) -> None:
        """Let at most so many jobs run at once, over all workers of the fleet.

        Wire: ``meta`` field ``concurrency``. Jobs that run go on; idle workers see a higher
        limit within five seconds.

        Raises:
            OptionsError: Less than 1.
        """
        concurrency = at_least_one("concurrency", concurrency)
        await limits.set_meta(self._store, self._keys, concurrency=concurrency)

    async def remove_global_concurrency(self) -> bool:
        """Limit the fleet no longer; return whether there was a limit.

        Wire: the ``meta`` field ``concurrency`` goes.
        """
        return await limits.delete_meta(self._store, self._keys, "concurrency")

    async def global_rate_limit(self) -> Limiter | None:
        """Return how many jobs may start in a time, over all workers; None: no limit.

        Wire: reads the ``meta`` fields ``max`` and ``duration``.
        """
        most, duration = await limits.meta_numbers(self._store, self._keys, "max", "duration")
        return Limiter(most, from_ms(duration)) if most and duration else None

    async def set_global_rate_limit(self, max: int, duration: timedelta) -> None:  # noqa: A002 - BullMQ's word
        """Let at most ``max`` jobs start in ``duration``, over all workers of the fleet.

        It goes before the limits that workers bring themselves.

        Wire: ``meta`` fields ``max`` and ``duration``.

        Raises:
            OptionsError: It lets no job through.
        """
        check_span("duration", duration)
        if duration < timedelta(milliseconds=1):
            raise OptionsError("duration", f"it is at least a millisecond, got {duration}")
        most = at_least_one("max", max)
        await limits.set_meta(self._store, self._keys, max=most, duration=to_ms(duration))

    async def remove_global_rate_limit(self) -> bool:
        """Limit the rate no longer; return whether there was a limit.

        Wire: the ``meta`` fields ``max`` and ``duration`` go.
        """
        return await limits.delete_meta(self._store, self._keys, "max", "duration")

    async def rate_limit(self, span: timedelta) -> None:
        """Let workers take no job for a while.

        BullMQ's workers do not look, unless they have a limiter or the queue has a global
        rate limit.

        Wire: key ``limiter``; field ``x-fw.limited`` of ``meta``.

        Raises:
            OptionsError: Less than a millisecond.
        """
        check_span("span", span)
        if span < timedelta(milliseconds=1):
            raise OptionsError("span", f"it is at least a millisecond, got {span}")
        await limits.limit_rate(self._store, self._keys, to_ms(span))

    async def rate_limit_ttl(self, max: int | None = None) -> timedelta:  # noqa: A002 - BullMQ's word
        """Return for how long no job may start; zero if one may.

        Wire: reads the key ``limiter`` and its time to live.

        Args:
            max: A worker's limit; the queue's own unless given.
        """
        return from_ms(await limits.rate_limit_ttl_ms(self._store, self._keys, max))

    async def remove_rate_limit_key(self) -> bool:
        """Let jobs start again at once; return whether anything was limited or counted.

        Wire: key ``limiter`` goes.
        """
        return await limits.unlimit_rate(self._store, self._keys)
