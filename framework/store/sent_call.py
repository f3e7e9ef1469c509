"""A call under way that takes its reply itself: no task waits for it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


class SentCall(ABC):
    """One call of one command, as a socket's asker: it hears of the reply as that comes."""

    __slots__ = ()

    @abstractmethod
    def landed(self, reply: Sequence[Any]) -> None:
        """Take the reply."""

    @abstractmethod
    def set_exception(self, error: Exception) -> None:
        """Take why there is none."""

    def done(self) -> bool:
        """Tell whether nobody waits: never, since no caller can call it back."""
        return False

    def set_result(self, replies: list[Any]) -> None:
        """Take the one reply."""
        (reply,) = replies
        if isinstance(reply, Exception):
            self.set_exception(reply)
        else:
            self.landed(reply)
