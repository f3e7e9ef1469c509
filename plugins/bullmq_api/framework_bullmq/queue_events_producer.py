"""Telling who listens to a queue of something of one's own."""

from collections.abc import Mapping
from typing import Any

from framework import OptionsError
from framework_bullmq.background import Tenant
from framework_bullmq.queue_base import keys_of, read_place
from framework_bullmq.refusals import Refuses
from framework_bullmq.spelling import read_options

OPTIONS = frozenset({"connection", "prefix", "skipVersionCheck"})


class QueueEventsProducer(Refuses):
    """Publishes events, which all `QueueEvents` of the queue hear, those on Node too.

    Args:
        name: The queue's name.
        opts: ``connection`` and ``prefix`` as of a Queue.

    Raises:
        OptionsError: An option that there is not, or that is refused.
    """

    def __init__(self, name: str, opts: Mapping[str, Any] | None = None) -> None:
        options = read_options("QueueEventsProducer", opts, OPTIONS)
        self.name = name
        self.opts = options
        self._tenant = Tenant(read_place(options))
        self.prefix = self._tenant.place.prefix
        self.qualifiedName = f"{self.prefix}:{name}"
        self.keys = keys_of(self.qualifiedName)
        self.closing = False

    async def publishEvent(self, args: Mapping[str, Any], maxEvents: int = 1000) -> None:
        """Publish an event.

        Args:
            args: ``eventName``, and what the event says; numbers become text.
            maxEvents: Keep about so many events of the queue, the newest.

        Raises:
            OptionsError: It has no name.
        """
        said = {name: text_of(value) for name, value in args.items()}
        if "event_name" in said:
            said["eventName"] = said.pop("event_name")
        name = said.pop("eventName", "")
        if not name:
            raise OptionsError("eventName", "an event has one")
        queue = (await self._tenant.app()).queue(self.name)
        await queue.publish_event(name, said, max_events=maxEvents)

    async def close(self) -> None:
        """Give up its share in the connections. A second time changes nothing."""
        if not self.closing:
            self.closing = True
            await self._tenant.leave()

    publish_event = publishEvent


def text_of(value: object) -> str:
    """Return a value as an event has it."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise OptionsError("args", f"an event says text and numbers, got {value!r}")
