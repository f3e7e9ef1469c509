"""Follow a queue's events from an id, without ever missing one that is still there."""

from collections.abc import AsyncIterator

from redis import exceptions

from framework.model.events import QueueEvent
from framework.store.connection import is_passing, pack, translate
from framework.store.patience import Patience
from framework.store.store import Store
from framework.wire.event_entry import decode_event
from framework.wire.keys import QueueKeys

MOST_ENTRIES = 500
BLOCK_MS = 5000


async def last_event_id(store: Store, keys: QueueKeys) -> str:
    """Return the id of the newest event, ``0-0`` on an empty stream."""
    newest = await store.command("XREVRANGE", keys["events"], "+", "-", "COUNT", 1)
    return newest[0][0].decode() if newest else "0-0"


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
    held = store.hold()
    patience = Patience(None)
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
            patience = Patience(None)
            entries = reply[0][1] if reply else []
            if entries:
                after = entries[-1][0].decode()
            yield [decode_event(keys.queue, entry_id, flat) for entry_id, flat in entries]
    finally:
        await store.release(held)
