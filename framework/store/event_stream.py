"""Follow a queue's events from an id, without ever missing one that is still there."""

from collections.abc import AsyncIterator, Iterable

from redis import exceptions

from framework.model.events import QueueEvent
from framework.model.job import JobId
from framework.store.answers import is_passing, translate
from framework.store.connection import pack
from framework.store.patience import Patience
from framework.store.store import Store
from framework.store.stream_reader import last_id
from framework.wire.event_entry import decode_event
from framework.wire.keys import QueueKeys

MOST_ENTRIES = 500
BLOCK_MS = 5000
MOST_PAGES = 20
# The newest of these about a job says whether, and how, it ended.
FATES = frozenset({b"added", b"completed", b"failed", b"removed"})


async def last_event_id(store: Store, keys: QueueKeys) -> str:
    """Return the id of the newest event, ``0-0`` on an empty stream."""
    return await last_id(store, keys["events"])


async def last_endings(
    store: Store, keys: QueueKeys, job_ids: Iterable[JobId]
) -> dict[JobId, QueueEvent]:
    """Return how jobs ended that are gone, as far as the last 10,000 events tell."""
    sought = {job_id.encode(): job_id for job_id in job_ids}
    found: dict[JobId, QueueEvent] = {}
    end = "+"
    for _ in range(MOST_PAGES):
        entries = await store.command("XREVRANGE", keys["events"], end, "-", "COUNT", MOST_ENTRIES)
        for entry_id, fields in entries:
            job_id = fields.get(b"jobId")
            if job_id in sought and fields.get(b"event") in FATES:
                flat = [part for pair in fields.items() for part in pair]
                event = decode_event(keys.queue, entry_id, flat)
                if event.event in {"completed", "failed"}:
                    found[sought[job_id]] = event
                del sought[job_id]
        if not sought or len(entries) < MOST_ENTRIES:
            break
        end = f"({entries[-1][0].decode()}"
    return found


async def follow_events(
    store: Store, keys: QueueKeys, after: str, *, block_ms: int = BLOCK_MS
) -> AsyncIterator[list[QueueEvent]]:
    """Yield what comes after an id, for ever; an empty list each time nothing came.

    Args:
        after: A stream id; resolve "from now on" with `last_event_id`.
        block_ms: How long one read waits.

    Raises:
        RedisRefusedError: Redis refuses to be read.
    """
    held = store.hold(keys["events"])
    patience = Patience(None, store.outage)
    try:
        while True:
            command = pack(
                "XREAD", "COUNT", MOST_ENTRIES, "BLOCK", block_ms, "STREAMS", keys["events"], after
            )
            try:
                reply = await held.call(command, deadline=block_ms / 1000 + 1)
            except (exceptions.RedisError, OSError) as error:
                if not is_passing(error):
                    raise translate(error, store.address) from error
                store.outage.begin(translate(error, store.address))
                await patience.wait()
                continue
            patience = Patience(None, store.outage)
            entries = reply[0][1] if reply else []
            if entries:
                after = entries[-1][0].decode()
            yield [decode_event(keys.queue, entry_id, flat) for entry_id, flat in entries]
    finally:
        await store.release(held)
