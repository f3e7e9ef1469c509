"""Which node of a cluster serves which slot, as far as this process knows."""

import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio
from redis import exceptions

from framework.store.address import Place
from framework.store.connection import HeldConnection, pack
from framework.store.dialling import Dialler
from framework.wire.slots import SLOTS, slot_of

ASK_SECONDS = 2.0


class ClusterMap:
    """Learns from any node; put right by what nodes answer.

    Args:
        seeds: Some nodes.
        dialler: Connects to them.
    """

    def __init__(self, seeds: Sequence[Place], dialler: Dialler) -> None:
        self._seeds = tuple(seeds)
        self.dialler = dialler
        self._slots: list[Place | None] = []
        self._known: set[Place] = set()
        self._is_stale = True
        self._asking = anyio.Lock(fast_acquire=True)

    async def place_of(self, key: str | None) -> Place:
        """Return the node that serves a key; without a key, any master.

        Raises:
            RedisError, OSError: No node says, or none serves it now.
        """
        if self._is_stale:
            async with self._asking:
                if self._is_stale:
                    await self._ask()
        if key is None:
            return random.choice([one for one in self._slots if one])  # noqa: S311 - spreads load
        place = self._slots[slot_of(key)]
        if place is None:
            raise exceptions.ClusterDownError("Hash slot not served")
        return place

    def doubt(self) -> None:
        """Ask again before the next call: a node failed, or said that it is not the one."""
        self._is_stale = True

    def moved(self, answer: exceptions.AskError) -> Place:
        """Note where a slot went; return the place."""
        place = Place(answer.host, answer.port)
        if self._slots:
            self._slots[answer.slot_id] = place
        self.doubt()
        return place

    async def _ask(self) -> None:
        others = list(self._known.difference(self._seeds))
        # Not always the same one first: it may be the one that knows least.
        places = [*random.sample(others, len(others)), *self._seeds]
        silent: Exception | None = None
        for place in places:
            node = HeldConnection(partial(self.dialler.dial_place, place))
            try:
                rows = await node.call(pack("CLUSTER", "SLOTS"), ASK_SECONDS)
            except exceptions.ResponseError:
                raise
            except (exceptions.RedisError, OSError) as error:
                silent = silent or error
                continue
            finally:
                await node.drop()
            if rows:
                self._learn(place, rows)
                return
        raise silent or exceptions.ClusterDownError("Hash slot not served")

    def _learn(self, asked: Place, rows: Sequence[Any]) -> None:
        slots: list[Place | None] = [None] * SLOTS
        known: set[Place] = set()
        for first, last, *nodes in rows:
            places = [place_in(node, asked) for node in nodes]
            known.update(places)
            slots[first : last + 1] = [places[0]] * (last + 1 - first)
        self._slots, self._known, self._is_stale = slots, known, False


def place_in(node: Sequence[Any], asked: Place) -> Place:
    """Read a node of the answer; one without a host is where the answer came from."""
    host = node[0].decode() if node[0] else ""
    return Place(asked.host if host in {"", "?"} else host, int(node[1]))
