"""What stands in a queue's ``meta``: seen once by each process that uses the queue."""

from framework.errors import FormatError, FrameworkError
from framework.store.patience import Patience
from framework.store.store import Store
from framework.wire.keys import QueueKeys

# Rises when a release writes extra fields that the one before could not tolerate.
FORMAT = 1
FORMAT_FIELD = "x-fw.format"
LIBRARY = "framework"
PAUSE_FIELD = "x-fw.pause"


async def open_queue(store: Store, keys: QueueKeys, pause_mode: str | None = None) -> None:
    """Refuse a queue that is too new; write what is missing, and nothing that is there.

    Wire: ``meta`` fields ``x-fw.format``, ``version`` and ``opts.maxLenEvents``, each only
    if absent; ``x-fw.pause``.

    Args:
        pause_mode: Where jobs wait while it is paused, ``v6`` or ``v5``, from now on for every
            process of ours; None: as it is.

    Raises:
        FormatError: A newer release wrote it.
        RedisUnavailableError: No answer.
    """
    meta = keys["meta"]
    replies = await store.pipeline(
        [
            ("HSETNX", meta, FORMAT_FIELD, FORMAT),
            ("HSETNX", meta, "version", f"{LIBRARY}:0.1.0"),
            ("HSETNX", meta, "opts.maxLenEvents", 10000),
            ("HGET", meta, FORMAT_FIELD),
        ]
    )
    found = int(replies[-1])
    if found > FORMAT:
        raise FormatError(queue=keys.queue, found=found, known=FORMAT)
    if pause_mode is not None:
        await write_pause_mode(store, keys, pause_mode)


async def write_pause_mode(store: Store, keys: QueueKeys, mode: str) -> None:
    """Decide for all processes of ours where jobs wait while the queue is paused."""
    await store.command("HSET", keys["meta"], PAUSE_FIELD, mode)


async def note_pause_mode(store: Store, keys: QueueKeys, mode: str) -> None:
    """Do so until Redis has taken it, for a process that only adds."""
    patience = Patience(None, store.outage)
    while True:
        try:
            await write_pause_mode(store, keys, mode)
        except FrameworkError as error:
            store.outage.begin(error)
            await patience.wait()
        else:
            return
