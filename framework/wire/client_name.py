"""The names by which BullMQ knows the connections of workers."""

import re
from base64 import b64encode

from framework.wire.keys import QueueKeys

UNFIT = re.compile(r"[^!-~]")


def worker_name(keys: QueueKeys, name: str) -> str:
    """Return what a worker's connection is called; Redis takes no blanks in it."""
    return f"{unnamed_worker(keys)}:w:{UNFIT.sub('-', name)}"


def unnamed_worker(keys: QueueKeys) -> str:
    """Return what the connection of a worker without a name is called."""
    return f"{UNFIT.sub('-', keys.prefix)}:{b64encode(keys.queue.encode()).decode()}"


def name_in(keys: QueueKeys, client_name: str) -> str | None:
    """Return the name of a worker of this queue; None where a connection is no such worker's."""
    own = unnamed_worker(keys)
    if client_name == own:
        return ""
    return client_name.removeprefix(f"{own}:w:") if client_name.startswith(f"{own}:w:") else None
