"""Functions that change a queue, or many of its jobs at once."""

from datetime import timedelta

from pydantic_core import to_json

from framework import Queue
from framework_gateway.errors import bad_request
from framework_gateway.http.queues import CLEANED
from framework_gateway.hub import Hub
from framework_gateway.option_check import MAX_INT, MAX_MS
from framework_gateway.scheduler_json import EPOCH
from framework_gateway.shown import demand, demand_whole, shown
from framework_gateway.ws.arguments import Arguments
from framework_gateway.ws.function_words import NULL


async def pause(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Let no worker take a job."""
    args.end()
    await queue.pause()
    return NULL


async def resume(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Let workers take jobs again."""
    args.end()
    await queue.resume()
    return NULL


async def retry_jobs(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Run all finished jobs of a state again."""
    opts = args.object("opts", "state", "count", "timestamp")
    args.end()
    state = opts.get("state", "failed")
    if state not in {"failed", "completed"}:
        raise bad_request(f"Invalid opts.state {shown(state)}")
    demand_whole("opts.count", opts.get("count", 1000), 1, MAX_INT)
    until = None
    if "timestamp" in opts:
        ms = demand_whole("opts.timestamp", opts["timestamp"], 0, MAX_MS)
        until = EPOCH + timedelta(milliseconds=ms)
    await queue.retry_jobs(state, until=until)
    return NULL


async def promote_jobs(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Let all delayed jobs wait in line now."""
    opts = args.object("opts", "count")
    args.end()
    demand_whole("opts.count", opts.get("count", 1000), 1, MAX_INT)
    await queue.promote_jobs()
    return NULL


async def drain(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Remove all jobs that wait."""
    delayed = args.flag("delayed", default=False)
    args.end()
    await queue.drain(delayed)
    return NULL


async def clean(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Remove old jobs of one state."""
    grace, limit = args.whole("grace", most=MAX_MS), args.whole("limit")
    kind = args.text("type", "completed")
    args.end()
    if kind not in CLEANED:
        raise bad_request(f"Invalid type {shown(kind)}")
    return to_json(await queue.clean(timedelta(milliseconds=grace), limit, CLEANED[kind]))


async def obliterate(_: Hub, queue: Queue, args: Arguments) -> bytes:
    """Delete the queue with all that is in it."""
    opts = args.object("opts", "force", "count")
    args.end()
    force = opts.get("force", False)
    demand("opts.force", force, bool, "a boolean")
    demand_whole("opts.count", opts.get("count", 1000), 1, MAX_INT)
    await queue.obliterate(force)
    return NULL
