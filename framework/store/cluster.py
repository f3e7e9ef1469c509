"""Connections to a cluster: each call goes to the node that serves its key.

A node that answers MOVED, ASK or TRYAGAIN has not run the command, so it may always be sent
again; after a lost reply only the caller knows.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from redis import exceptions
from typing_extensions import override

from framework.store.address import Place
from framework.store.answers import is_stale
from framework.store.cluster_map import ClusterMap
from framework.store.connection import REPLY_SECONDS, Argument, Command, HeldConnection, pack
from framework.store.socket import Asker

MOST_REDIRECTS = 5
# Commands that have no key, and those whose key is not their first argument.
KEYLESS = frozenset({
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DBSIZE", "INFO", "PING", "ROLE", "SCRIPT",
    "TIME", "WAIT",
})  # fmt: skip
KEY_AT = {"EVAL": 3, "EVALSHA": 3, "MEMORY": 2, "OBJECT": 2, "XGROUP": 2, "XINFO": 2}
# Those whose key comes after a word. A pattern with a hash tag is in that tag's slot.
KEY_AFTER = {"SCAN": "MATCH", "XREAD": "STREAMS"}


def key_of(command: Sequence[Argument]) -> str | None:
    """Return the key that says where a command goes; None: any node will do."""
    name = str(command[0]).upper()
    if name in KEYLESS:
        return None
    if name in KEY_AFTER:
        words = [str(word).upper() for word in command]
        at = words.index(KEY_AFTER[name]) + 1
    else:
        at = KEY_AT.get(name, 1)
    key = command[at]
    return key.decode() if isinstance(key, bytes) else str(key)


class NodeConnection(HeldConnection):
    """A connection to the node that serves one key: it moves when the key does.

    Args:
        cluster: Says which node that is.
        key: The key; None: any node.
    """

    def __init__(self, cluster: ClusterMap, key: str | None) -> None:
        super().__init__(self._dial_node)
        self._cluster = cluster
        self._key = key

    async def _dial_node(self) -> Any:  # noqa: ANN401 - a connection of redis-py
        return await self._cluster.dialler.dial_place(await self._cluster.place_of(self._key))

    async def call(
        self, command: Command, deadline: float = REPLY_SECONDS, key: str | None = None
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Send one packed command; as `HeldConnection.call`.

        Raises:
            ConnectionError: Another node serves the key; the next call goes there.
        """
        try:
            return await super().call(command, deadline, key)
        except exceptions.AskError as error:
            self._cluster.moved(error)
            await self.drop()
            raise exceptions.ConnectionError(f"its slot is moving: {error}") from error
        except (exceptions.ConnectionError, exceptions.TimeoutError, OSError):
            self._cluster.doubt()
            raise
        except exceptions.ResponseError as error:
            if is_stale(error):
                self._cluster.doubt()
            raise

    @override
    def send_now(self, command: Command, deadline: float, asker: Asker) -> bool:
        """Send nothing: `call` learns from the answer where the key has gone."""
        return False


class SpreadConnection(HeldConnection):
    """A connection to each node that its calls need; it takes one call at a time.

    Args:
        cluster: Says which node serves a key.
    """

    def __init__(self, cluster: ClusterMap) -> None:
        super().__init__(partial(cluster.dialler.dial_place, Place("", 0)))
        self._cluster = cluster
        self._nodes: dict[Place, HeldConnection] = {}

    def _at(self, place: Place) -> HeldConnection:
        node = self._nodes.get(place)
        if node is None:
            dial = partial(self._cluster.dialler.dial_place, place)
            node = self._nodes[place] = HeldConnection(dial)
        return node

    async def call(
        self, command: Command, deadline: float = REPLY_SECONDS, key: str | None = None
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Send one packed command to the node of its key; as `HeldConnection.call`."""
        return await self._follow(key, deadline, lambda node: node.call(command, deadline))

    async def call_copied(
        self,
        command: Command,
        copies: int,
        deadline: float = REPLY_SECONDS,
        key: str | None = None,
    ) -> tuple[Any, int]:
        """Send one packed command, and wait for replicas; as `HeldConnection.call_copied`."""
        found: tuple[Any, int] = await self._follow(
            key, deadline, lambda node: node.call_copied(command, copies, deadline)
        )
        return found

    async def _follow(
        self,
        key: str | None,
        deadline: float,
        call: Callable[[HeldConnection], Awaitable[Any]],
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Make a call on the node of its key, and where that names another, there."""
        place = await self._cluster.place_of(key)
        is_asking = False
        for _ in range(MOST_REDIRECTS):
            node = self._at(place)
            try:
                if is_asking:
                    await node.call(pack("ASKING"), deadline)
                return await call(node)
            except exceptions.MovedError as error:
                place, is_asking = self._cluster.moved(error), False
            except exceptions.AskError as error:
                place, is_asking = Place(error.host, error.port), True
            except (exceptions.RedisError, OSError) as error:
                self._note(error)
                raise
        raise exceptions.ConnectionError("the cluster sends its calls in circles")

    async def call_many(
        self, commands: Sequence[Sequence[Argument]], deadline: float = REPLY_SECONDS
    ) -> list[Any]:
        """Send commands, in one go to each node; as `HeldConnection.call_many`."""
        replies: list[Any] = [None] * len(commands)
        parts: dict[Place, list[int]] = {}
        for at, command in enumerate(commands):
            parts.setdefault(await self._cluster.place_of(key_of(command)), []).append(at)
        for place, part in parts.items():
            try:
                answers = await self._at(place).call_many([commands[at] for at in part], deadline)
            except (exceptions.RedisError, OSError) as error:
                self._note(error)
                raise
            for at, answer in zip(part, answers, strict=True):
                replies[at] = await self._settle(commands[at], answer, deadline)
        return replies

    async def _settle(self, command: Sequence[Argument], answer: Any, deadline: float) -> Any:  # noqa: ANN401 - replies have any shape
        """Return an answer, or where it only names another node, that node's answer."""
        if not isinstance(answer, exceptions.AskError):
            if isinstance(answer, Exception):
                self._note(answer)
            return answer
        if isinstance(answer, exceptions.MovedError):
            self._cluster.moved(answer)
        try:
            return await self.call(pack(*command), deadline, key_of(command))
        except exceptions.ResponseError as error:
            return error

    def _note(self, error: Exception) -> None:
        is_answer = isinstance(error, exceptions.ResponseError)
        if not is_answer or is_stale(error):
            self._cluster.doubt()

    async def refresh(self) -> None:
        """Drop the connections that their servers have closed meanwhile."""
        for node in self._nodes.values():
            await node.refresh()

    async def drop(self) -> None:
        """Close all sockets now."""
        for node in self._nodes.values():
            await node.drop()

    async def aclose(self) -> None:
        """Close all connections."""
        for node in self._nodes.values():
            await node.aclose()
