"""Looking after a queue as a whole."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from framework.client.queue_base import QueueBase, known_state
from framework.errors import ActiveJobsError, OptionsError
from framework.model.job import JobId, JobState
from framework.model.spans import check_span
from framework.store import reads
from framework.store.queue_meta import write_pause_mode
from framework.store.transitions import admin, removal
from framework.wire.keys import is_text
from framework.wire.millis import to_ms
from framework.wire.options import MAX_INT, whole

WAITING = ("wait", "paused")
MAX_EVENTS = 10_000
NO_FIELDS: Mapping[str, str] = MappingProxyType({})
CLEANED = {
    JobState.COMPLETED: ("completed",),
    JobState.FAILED: ("failed",),
    JobState.WAITING: WAITING,
    JobState.PRIORITIZED: ("prioritized",),
    JobState.DELAYED: ("delayed",),
    JobState.ACTIVE: ("active",),
}


class QueueUpkeep(QueueBase):
    """What keeps a queue in order."""

    async def pause(self) -> None:
        """Let no worker of the fleet take a job; running ones go on.

        Wire: ``meta`` field ``paused``; event ``paused``. With the setting ``pause_mode`` v5
        the jobs that wait go to the list ``paused``, behind those that are there.
        """
        if self._line.pause_mode is not None:
            await write_pause_mode(self._store, self._keys, self._line.pause_mode)
        await admin.pause_queue(self._store, self._keys)

    async def resume(self) -> None:
        """Let workers take jobs again.

        Wire: the ``meta`` field goes, a list ``paused`` of BullMQ 5 is merged; ``resumed``.
        """
        await admin.resume_queue(self._store, self._keys)

    async def is_paused(self) -> bool:
        """Tell whether the queue is paused.

        Wire: reads the ``meta`` field ``paused``.
        """
        return await reads.is_paused(self._store, self._keys)

    async def drain(self, delayed: bool = False) -> int:
        """Remove all jobs that wait; return how many. Those that run or have finished stay.

        Wire: no event. The next runs of schedules stay. A parent that waited for such jobs
        alone goes with them if it is of this queue; one of another queue is released.

        Args:
            delayed: Remove the delayed ones too, and those that are held.
        """
        names = (*WAITING, "prioritized", *(["delayed"] if delayed else []))
        return await removal.drain(self._store, self._keys, names)

    async def clean(
        self,
        grace: timedelta = timedelta(0),
        limit: int = 0,
        state: JobState | str = JobState.COMPLETED,
    ) -> list[JobId]:
        """Remove old jobs of one state; return their ids.

        Wire: event ``cleaned``; parents as `drain` says. Jobs that a worker holds stay, and
        the next runs of schedules.

        Args:
            grace: Keep what finished, started or was added within this time.
            limit: Remove at most so many; 0: all.
            state: Any but ``waiting-children``.

        Raises:
            OptionsError: Another state, or a negative number or time.
        """
        names = CLEANED.get(known_state(state))
        if names is None:
            raise OptionsError("state", f"jobs that are {state} cannot be cleaned")
        check_span("grace", grace)
        if grace < timedelta(0):
            raise OptionsError("grace", f"it must not be negative, got {grace}")
        most = whole({"limit": limit}, "limit", MAX_INT) or MAX_INT
        until_ms = self._store.clock.now_ms() - to_ms(grace)
        return await removal.clean(self._store, self._keys, names, until_ms, most)

    async def obliterate(self, force: bool = False) -> None:
        """Delete the queue: all its jobs, settings, schedules and events.

        It is paused first. Pause what adds to it too: what comes meanwhile may stay.

        Wire: every key of the queue goes, those of ours too; with the setting ``pause_mode`` its
        ``meta`` field is written anew. Parents in other queues that waited for its jobs alone are
        released.

        Args:
            force: Even while workers hold jobs; their outcomes are dropped.

        Raises:
            ActiveJobsError: Workers hold jobs; nothing was removed.
        """
        was_paused = await self.is_paused()
        await self.pause()
        try:
            await removal.obliterate(self._store, self._keys, force=force)
        except ActiveJobsError:
            if not was_paused:
                await self.resume()
            raise
        # What is added from now on must wait where BullMQ 5 does not lose it.
        if self._line.pause_mode is not None:
            await write_pause_mode(self._store, self._keys, self._line.pause_mode)

    async def remove_orphaned_jobs(self, limit: int = 0) -> int:
        """Delete what is left of jobs that stand in no state; return how many.

        Wire: their keys and locks go; no event. A parent that waited for one alone is
        released. Looks at every key of the server.

        Args:
            limit: Remove at most so many; 0: all.
        """
        limit = whole({"limit": limit}, "limit", MAX_INT)
        return await removal.remove_orphans(self._store, self._keys, limit)

    async def publish_event(
        self, event: str, fields: Mapping[str, str] = NO_FIELDS, *, max_events: int = MAX_EVENTS
    ) -> str:
        """Tell all who listen to the queue of something of one's own; return the event's id.

        Wire: an entry of the stream ``events``, which BullMQ's ``QueueEvents`` hears too. Not
        sent twice: a lost reply raises.

        Args:
            event: Its name; not one of BullMQ's own, whose listeners would take it for theirs.
            fields: What it says, as text.
            max_events: Keep about so many events, the newest.

        Raises:
            OptionsError: No name, a field that is no text, or one that is called ``event``.
        """
        if not is_text(event):
            raise OptionsError("event", f"it is text that is not empty, got {event!r}")
        for name, value in fields.items():
            if name == "event" or not isinstance(value, str):
                raise OptionsError("fields", f"they are text, and none is event, got {name!r}")
        most = whole({"max_events": max_events}, "max_events", MAX_INT)
        said = [part for pair in fields.items() for part in pair]
        limit = ("MAXLEN", "~", most)
        entry: bytes = await self._store.command(
            "XADD", self._keys["events"], *limit, "*", "event", event, *said, repeatable=False
        )
        return entry.decode()

    async def trim_events(self, count: int) -> int:
        """Delete events, but for about the newest ``count``; return how many went.

        Wire: stream ``events``.
        """
        count = whole({"count": count}, "count", MAX_INT)
        trimmed: int = await self._store.command(
            "XTRIM", self._keys["events"], "MAXLEN", "~", count
        )
        return trimmed
