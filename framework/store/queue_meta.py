"""What stands in a queue's ``meta``: seen once by each process that uses the queue."""

from framework.errors import FormatError
from framework.store.store import Store
from framework.wire.keys import QueueKeys

# Rises when a release writes extra fields that the one before could not tolerate.
FORMAT = 1
FORMAT_FIELD = "x-fw.format"
LIBRARY = "framework"


async def open_queue(store: Store, keys: QueueKeys) -> None:
    """Refuse a queue that is too new; write what is missing, and nothing that is there.

    Wire: ``meta`` fields ``x-fw.format``, ``version`` and ``opts.maxLenEvents``, each only
    if absent.

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
