"""One history made twice, by Node alone and by us: the events and the keys must be the same."""

from collections.abc import Awaitable, Callable

import pytest

from framework.store.store import Store
from tests.interop.histories import HISTORIES, History, on_node, on_us
from tests.interop.shown import OUR_META, dump, events_of
from tests.support.node import NodePeer, both_majors
from tests.support.ours import Ours

pytestmark = [pytest.mark.interop, both_majors]

every_history = pytest.mark.parametrize(
    "history", [pytest.param(it, id=name) for name, it in HISTORIES.items()]
)


@every_history
async def test_our_events_are_those_that_node_writes(
    ours: Ours, node: NodePeer, store: Store, history: Callable[[History], Awaitable[None]]
) -> None:
    async with on_node(node, "theirs") as theirs:
        await history(theirs)
    async with on_us(ours, node, "mine") as mine:
        await history(mine)

    expected = await events_of(store, ours.prefix, "theirs")
    assert await events_of(store, ours.prefix, "mine") == expected


@every_history
async def test_our_keys_are_those_that_node_leaves(
    ours: Ours, node: NodePeer, store: Store, history: Callable[[History], Awaitable[None]]
) -> None:
    async with on_node(node, "theirs") as theirs:
        await history(theirs)
    async with on_us(ours, node, "mine") as mine:
        await history(mine)

    expected, found = (
        await dump(store, ours.prefix, "theirs"),
        await dump(store, ours.prefix, "mine"),
    )
    for meta in (expected["meta"], found["meta"]):
        for name in OUR_META:
            meta.pop(name, None)
    assert found == expected
