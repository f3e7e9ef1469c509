"""A lane: one connection whose calls may be sent twice and still act once.

Each call carries a sequence number; its script keeps the last number and answer of the
lane in Redis, and answers a number it knows as it did before.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis import exceptions

from framework.store.address import Address
from framework.store.answers import is_passing, translate
from framework.store.connection import (
    REPLY_SECONDS,
    Argument,
    Command,
    HeldConnection,
    pack,
    word,
)
from framework.store.copies import Copies
from framework.store.outage import Outage
from framework.store.patience import Patience
from framework.store.script import Script
from framework.store.socket import Asker
from framework.wire.keys import QueueKeys

# How long Redis remembers a lane's last answer. Longer than any resend waits.
MEMORY_MS = 3_600_000
MEMORY = word(b"%d" % MEMORY_MS)
CALL = b"*%d\r\n%b$%d\r\n%b\r\n%b%b"


class Numbered(NamedTuple):
    """A call of a lane, which may be sent twice.

    Attributes:
        script: What it runs.
        key: One that it touches.
        command: As it goes over the wire.
    """

    script: Script
    key: str
    command: Command


class Head(NamedTuple):
    """What the calls of one script on one queue begin with.

    Attributes:
        script: What they run.
        key: One that they touch.
        words: All before the arguments, as it goes over the wire.
        length: How many words that is.
    """

    script: Script
    key: str
    words: bytes
    length: int


def head_of(script: Script, keys: Sequence[str]) -> Head:
    """Return what calls begin with.

    Args:
        script: From `load_script`.
        keys: As its header lists them.
    """
    (packed,) = pack("EVALSHA", script.sha, len(keys), *keys)
    return Head(script, keys[0], packed[packed.index(b"\n") + 1 :], 3 + len(keys))


class Lane:
    """Sends one call at a time.

    Args:
        name: Unique in the whole fleet.
        connection: Its own.
        address: For the texts of errors.
        outage: Told of failed and of successful calls.
        copies: Waits until replicas have what was written; None: there are none.

    Attributes:
        heads: What its calls begin with, by their queue, for who sends many of one script.
    """

    def __init__(
        self,
        name: str,
        connection: HeldConnection,
        address: Address,
        outage: Outage,
        copies: Copies | None = None,
    ) -> None:
        self.name = name
        self._outage = outage
        self._connection = connection
        self._address = address
        self._sequence = 0
        self._copies = copies
        self.heads: dict[QueueKeys, Head] = {}

    async def call(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[Argument],
        *,
        seconds: float | None,
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Run a script whose first two arguments are ``sequence`` and ``lane_ms``.

        Args:
            script: From `load_script`.
            keys: As its header lists them.
            args: The arguments after those two.
            seconds: How long to try; None: until Redis answers.

        Raises:
            RedisUnavailableError: No answer in time; the call may have run.
            RedisRefusedError: Redis refused (never when ``seconds`` is None).
        """
        return await self.insist(self.number(script, keys, args), seconds=seconds)

    def number(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Numbered:
        """Return the next call of this lane; it must be over before there is another.

        Args:
            script: Whose first two arguments are ``sequence`` and ``lane_ms``.
            keys: As its header lists them.
            args: The arguments after those two.
        """
        self._sequence += 1
        command = pack("EVALSHA", script.sha, len(keys), *keys, self._sequence, MEMORY_MS, *args)
        return Numbered(script, keys[0], command)

    def number_words(self, head: Head, count: int, words: bytes) -> Numbered:
        """Return the next call, as `number` does, of arguments that are worded already.

        Args:
            head: What it begins with.
            count: How many arguments there are.
            words: All of them, from `word`.
        """
        self._sequence += 1
        script, key, begin, length = head
        number = b"%d" % self._sequence
        command = CALL % (length + 2 + count, begin, len(number), number, MEMORY, words)
        return Numbered(script, key, [command])

    def send_now(self, call: Numbered, deadline: float, asker: Asker) -> bool:
        """Send a call at once, if the connection stands; tell whether it was sent.

        Args:
            asker: Told of the reply as it comes. Of an error it is to tell `insist`.
        """
        return self._copies is None and self._connection.send_now(call.command, deadline, asker)

    def heard(self) -> None:
        """Note that Redis has answered."""
        if self._outage.error is not None:
            self._outage.end()

    async def insist(
        self, call: Numbered, *, seconds: float | None, trouble: Exception | None = None
    ) -> Any:  # noqa: ANN401 - replies have any shape
        """Send a call until Redis answers it. Raises as `call`.

        Args:
            seconds: How long to try; None: until Redis answers.
            trouble: What came of it when it was sent before.
        """
        patience = Patience(seconds, self._outage)
        patience.begin()
        while True:
            if isinstance(trouble, exceptions.NoScriptError):
                trouble = await self._load(call)
            if trouble is not None:
                told = translate(trouble, self._address)
                self._outage.begin(told)
                hopeless = seconds is not None and not is_passing(trouble)
                if hopeless or not await patience.wait():
                    raise told from trouble
            try:
                reply = await self._send(call, min(REPLY_SECONDS, patience.left))
            except (exceptions.RedisError, OSError) as error:
                trouble = error
            else:
                self.heard()
                return reply

    async def _send(self, call: Numbered, deadline: float) -> Any:  # noqa: ANN401 - replies have any shape
        if self._copies is None:
            return await self._connection.call(call.command, deadline, call.key)
        return await self._copies.call(self._connection, call.command, deadline, call.key)

    async def _load(self, call: Numbered) -> Exception | None:
        try:
            await self._connection.call(pack("SCRIPT", "LOAD", call.script.text), key=call.key)
        except (exceptions.RedisError, OSError) as error:
            return error
        return None

    async def drop(self) -> None:
        """Close the socket now; a call under way is sent again."""
        await self._connection.drop()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._connection.aclose()
