"""Pausing and resuming a queue."""

from framework.store.script import load_script
from framework.store.store import Store
from framework.wire.keys import QueueKeys

PAUSE = load_script("pause")
RESUME = load_script("resume")


async def pause_queue(store: Store, keys: QueueKeys) -> None:
    """Let no worker of the fleet take a job; running ones go on.

    Wire: ``meta`` field ``paused``; with pause mode ``v5`` the jobs of ``wait`` go behind
    those of the list ``paused``; event ``paused``.
    """
    is_first = 1
    while await store.run(PAUSE, keys.pick(PAUSE.keys), [is_first]):
        is_first = 0


async def resume_queue(store: Store, keys: QueueKeys) -> None:
    """Let workers take jobs again.

    Wire: ``meta`` field ``paused``; the list ``paused`` of BullMQ 5 is merged into
    ``wait``, oldest first to run; event ``resumed``.
    """
    is_first = 1
    while await store.run(RESUME, keys.pick(RESUME.keys), [is_first]):
        is_first = 0
