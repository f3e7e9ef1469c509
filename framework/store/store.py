"""The store: runs scripts and commands, and alone decides what is sent twice."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self

from redis import exceptions

from framework.model.clock import Clock, SystemClock
from framework.store.address import Address
from framework.store.answers import has_not_run, is_passing, translate
from framework.store.connection import REPLY_SECONDS, Argument, HeldConnection
from framework.store.connections import Connections
from framework.store.copies import Copies
from framework.store.heartbeat import Heartbeat
from framework.store.lane import Lane
from framework.store.outage import Outage
from framework.store.patience import Patience
from framework.store.script import Script
from framework.wire.slots import check_same_slot


class Store:
    """Everything a process says to one Redis.

    Args:
        url: Where Redis is; see `Address`.
        clock: Gives ``now_ms`` to every script.
        timeout: Seconds after which a call that Redis does not answer raises.
        copies: Behind Sentinels and in a cluster: how many replicas must have what a lane wrote
            before it counts.

    Raises:
        SettingsError: The URL cannot be used.
    """

    def __init__(
        self, url: str, *, clock: Clock | None = None, timeout: float = 10.0, copies: int = 1
    ) -> None:
        self.address = Address(url)
        self.clock: Clock = clock or SystemClock()
        self.timeout = timeout
        self._connections = Connections(self.address, min(REPLY_SECONDS, timeout))
        self._lanes: list[Lane] = []
        self._held: list[HeldConnection] = []
        self._copies = Copies(copies) if copies and self.address.kind != "one" else None
        self.outage = Outage.of_cluster() if self.is_cluster else Outage()

    @property
    def is_cluster(self) -> bool:
        """Whether keys are spread over several servers by their slots."""
        return self.address.kind == "cluster"

    def check_together(self, *bases: str) -> None:
        """Refuse what a cluster could not do in one call; elsewhere all is well.

        Args:
            bases: Keys, or what they begin with, such as ``bull:{mail}:``.

        Raises:
            SlotError: They have no hash tag, or would be in several slots; it names the fix.
        """
        if self.is_cluster:
            check_same_slot(*bases)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        for lane in self._lanes:
            await lane.aclose()
        for held in self._held:
            await held.aclose()
        await self._connections.aclose()

    async def recycle(self) -> None:
        """Close every connection that somebody holds or that is idle; all connect again.

        Calls under way on them break off as if the server had closed them: those that may be sent
        twice are.
        """
        for lane in self._lanes:
            await lane.drop()
        for held in self._held:
            await held.drop()
        await self._connections.drop_idle()

    async def watch(self) -> None:
        """Notice a planned change of the master that Sentinels name, until cancelled.

        Where there are none, it returns at once.
        """
        await self._connections.watch()

    async def listen(self) -> None:
        """Notice that Redis answers again where it was silent, and go on at once; until cancelled.

        In a cluster, where each node may be silent alone, deadlines see to that: it returns.
        """
        if not self.is_cluster:
            await Heartbeat(self._connections.hold, self._answers_again).run()

    async def _answers_again(self, *, on_new_lines: bool) -> None:
        self.outage.hurry()  # first: calls that break off now are sent again soon
        if on_new_lines:
            await self.recycle()
            self._connections.hurry()

    def lane(self) -> Lane:
        """Return a new lane: calls on it may be sent twice and act once."""
        # Not named by the store: a program that forks would have two lanes of one name, and one
        # process would get the other's answers.
        name = f"{uuid.uuid4().hex}:{len(self._lanes)}"
        connection = self._connections.spread()
        lane = Lane(name, connection, self.address, self.outage, self._copies)
        self._lanes.append(lane)
        return lane

    def hold(self, key: str | None = None) -> HeldConnection:
        """Return a connection of one's own, for blocking reads.

        Args:
            key: In a cluster, the connection leads to the node that serves this key, or, without
                one, to any node.
        """
        held = self._connections.hold(key)
        self._held.append(held)
        return held

    async def release(self, held: HeldConnection) -> None:
        """Close a connection that `hold` gave."""
        self._held.remove(held)
        await held.aclose()

    async def run(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[Argument],
        *,
        repeatable: bool = True,
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Run a script.

        Args:
            script: From `load_script`.
            keys: As its header lists them.
            args: As its header lists them.
            repeatable: Whether a second run changes nothing more, so that it may be
                sent again when its reply is lost.

        Raises:
            RedisUnavailableError: No answer within the timeout. What is not repeatable
                may have run.
            RedisRefusedError: Redis refused, for instance for want of memory.
        """

        async def call() -> Any:  # noqa: ANN401 - replies have any shape
            try:
                return await self._connections.command(
                    "EVALSHA", script.sha, len(keys), *keys, *args
                )
            except exceptions.NoScriptError:
                return await self._connections.command("EVAL", script.text, len(keys), *keys, *args)

        return await self._insist(call, repeatable=repeatable)

    async def command(
        self, *command: Argument, repeatable: bool = True, near: str | None = None
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Run one plain command. Raises as `run`.

        Args:
            near: A key, for commands without one: in a cluster the node that serves it is meant.
        """
        return await self._insist(
            lambda: self._connections.command(*command, near=near), repeatable=repeatable
        )

    async def pipeline(self, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
        """Run plain repeatable commands in one round trip. Raises as `run`."""
        replies: list[Any] = await self._insist(lambda: self._connections.pipeline(commands))
        return replies

    async def check(self, timeout: float | None = None) -> None:
        """Reach Redis once.

        Args:
            timeout: Seconds to try; the store's own unless given.

        Raises:
            RedisUnavailableError: Not within the timeout.
            RedisRefusedError: It refuses the user or password.
        """
        await self._insist(lambda: self._connections.command("PING"), seconds=timeout)

    async def _insist(
        self,
        call: Callable[[], Awaitable[Any]],
        *,
        repeatable: bool = True,
        seconds: float | None = None,
    ) -> Any:  # noqa: ANN401 - replies have any shape
        patience = Patience(self.timeout if seconds is None else seconds, self.outage)
        while True:
            patience.begin()
            try:
                return await call()
            except (exceptions.RedisError, OSError) as error:
                passing = (repeatable or has_not_run(error)) and is_passing(error)
                if not passing or not await patience.wait():
                    raise translate(error, self.address) from error
