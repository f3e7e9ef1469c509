"""The limits of a queue, over all its workers."""

from framework_bullmq.millis import ms_of, span_of
from framework_bullmq.queue_base import QueueBase

NO_LIMIT = -2


class QueueLimits(QueueBase):
    """How many jobs may run at once, or start in a time."""

    async def getGlobalConcurrency(self) -> int | None:
        """Return how many jobs may run at once, or None."""
        return await (await self.engine()).global_concurrency()

    async def setGlobalConcurrency(self, concurrency: int) -> int:
        """Let at most so many jobs run at once; return 1 if there was no such limit, else 0."""
        engine = await self.engine()
        before = await engine.global_concurrency()
        await engine.set_global_concurrency(concurrency)
        return int(before is None)

    async def removeGlobalConcurrency(self) -> int:
        """Limit it no more; return 1 if there was a limit, else 0."""
        return int(await (await self.engine()).remove_global_concurrency())

    async def getGlobalRateLimit(self) -> dict[str, int] | None:
        """Return the limit as ``{"max": jobs, "duration": milliseconds}``, or None."""
        limit = await (await self.engine()).global_rate_limit()
        return None if limit is None else {"max": limit.max, "duration": ms_of(limit.duration)}

    async def setGlobalRateLimit(self, max_jobs: int, duration_ms: int) -> int:
        """Let at most so many jobs start in a time; return 2 if there was no such limit, else 0."""
        engine = await self.engine()
        before = await engine.global_rate_limit()
        await engine.set_global_rate_limit(max_jobs, span_of("duration_ms", duration_ms))
        return 0 if before is not None else 2

    async def removeGlobalRateLimit(self) -> int:
        """Limit it no more; return 2, the fields of a limit, if there was one, else 0."""
        return 2 * await (await self.engine()).remove_global_rate_limit()

    async def rateLimit(self, expire_time_ms: int) -> None:
        """Let no job start for so many milliseconds."""
        await (await self.engine()).rate_limit(span_of("expire_time_ms", expire_time_ms))

    async def getRateLimitTtl(self) -> int:
        """Return for how many milliseconds no job may start; -2 if one may."""
        return ms_of(await (await self.engine()).rate_limit_ttl()) or NO_LIMIT

    async def removeRateLimitKey(self) -> int:
        """Let jobs start again at once; return 1 if that changed anything, else 0."""
        return int(await (await self.engine()).remove_rate_limit_key())

    get_global_concurrency = getGlobalConcurrency
    get_global_rate_limit = getGlobalRateLimit
    get_rate_limit_ttl = getRateLimitTtl
    rate_limit = rateLimit
    remove_global_concurrency = removeGlobalConcurrency
    remove_global_rate_limit = removeGlobalRateLimit
    remove_rate_limit_key = removeRateLimitKey
    set_global_concurrency = setGlobalConcurrency
    set_global_rate_limit = setGlobalRateLimit
