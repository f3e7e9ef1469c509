"""One long script, done by Node alone and by us alone, leaves the same keys and the same events."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from framework import Application, Settings
from framework.app.discovery import Declarations
from framework.store.store import Store
from tests.interop.dump_script import CHAPTERS, NEW_IN_6
from tests.interop.dumps import dump_of
from tests.interop.node_hand import NodeHand
from tests.interop.our_hand import OurHand
from tests.interop.sides import Counted
from tests.support.node import NodePeer, NodeProcesses, both_majors

pytestmark = [pytest.mark.interop, both_majors]

# What differs by choice, beside what `tests/interop/dumps.py` leaves out.
RELEASED_FIRST = [
    {"event": "waiting", "jobId": "all", "prev": "waiting-children"},
    {"event": "removed", "jobId": "all", "prev": "wait"},
]
REMOVED_AT_ONCE = [{"event": "removed", "jobId": "all", "prev": "waiting-children"}]


@pytest.fixture
async def theirs(
    node: NodePeer, node_processes: NodeProcesses, prefix: str
) -> AsyncIterator[NodePeer]:
    """Node, under a prefix where nobody else writes."""
    peer = await node_processes.peer(node.major, f"{prefix}-node")
    yield peer
    await peer.reset()


@pytest.fixture
async def app(node: NodePeer, redis_url: str, prefix: str) -> AsyncIterator[Application]:
    """Our side, likewise; while a queue is paused, jobs wait where this Node puts them."""
    settings = Settings(
        redis_url=SecretStr(redis_url),
        prefix=f"{prefix}-ours",
        pause_mode="v5" if node.major == 5 else "v6",
    )
    async with Application(Declarations("tests"), settings=settings) as app:
        yield app


async def test_the_same_script_leaves_the_same_keys_and_events(
    theirs: NodePeer, app: Application, store: Store
) -> None:
    node_hand, our_hand = Counted(NodeHand(theirs)), Counted(OurHand(app))
    for chapter in CHAPTERS:
        if theirs.major == 6 or chapter not in NEW_IN_6:
            await chapter(node_hand)
            await chapter(our_hand)

    expected = await dump_of(store, theirs.prefix)
    found = await dump_of(store, app.settings.prefix)

    assert node_hand.count == our_hand.count >= 60
    # A parent that is removed with its children: Node first lets it run, then removes it. For us
    # it never waits in line, where a worker's marker would be set for it.
    at = found["cut:events"].index(REMOVED_AT_ONCE[0])
    found["cut:events"][at : at + 1] = RELEASED_FIRST
    assert found.keys() == expected.keys()
    for key in expected:
        assert found[key] == expected[key], key
