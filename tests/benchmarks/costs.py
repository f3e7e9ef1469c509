"""What a run costs: time, this process's CPU, Redis' CPU and commands."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis import Redis


@dataclass(frozen=True)
class Cost:
    """What something took; the field names are those of the peers' line of JSON."""

    seconds: float
    cpu_seconds: float
    redis_cpu_seconds: float
    redis_commands: int


async def cost_of(run: Callable[[], Awaitable[object]], redis: Redis) -> Cost:
    """Run it once and say what it took."""
    redis_cpu, redis_commands = figures_of(redis)
    started, cpu = time.perf_counter(), time.process_time()
    await run()
    ended, cpu_after = time.perf_counter(), time.process_time()
    redis_cpu_after, redis_commands_after = figures_of(redis)
    return Cost(
        seconds=ended - started,
        cpu_seconds=cpu_after - cpu,
        redis_cpu_seconds=redis_cpu_after - redis_cpu,
        redis_commands=redis_commands_after - redis_commands,
    )


def figures_of(redis: Redis) -> tuple[float, int]:
    """Ask the server for its CPU seconds and the commands it has run."""
    info = redis.info()
    cpu = float(info["used_cpu_user"]) + float(info["used_cpu_sys"])
    return cpu, int(info["total_commands_processed"])
