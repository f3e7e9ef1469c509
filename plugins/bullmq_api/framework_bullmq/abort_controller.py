"""Asking a running job to end: who asks has the controller, who runs has its signal."""

import anyio


class AbortError(Exception):
    """Somebody asked the job to end.

    Args:
        reason: Why, if it was said.
    """

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or "The operation was aborted")
        self.reason = reason


class AbortSignal:
    """What a running job looks at; get it from an `AbortController`."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._reason: str | None = None

    @property
    def aborted(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    @property
    def reason(self) -> str | None:
        """Why, if it was said."""
        return self._reason

    async def wait(self) -> None:
        """Return as soon as somebody asks."""
        await self._event.wait()

    def throw_if_aborted(self) -> None:
        """Go on, unless somebody asked.

        Raises:
            AbortError: Somebody did.
        """
        if self.aborted:
            raise AbortError(self._reason)

    def _abort(self, reason: str | None) -> None:
        if not self.aborted:
            self._reason = reason
            self._event.set()


class AbortController:
    """Asks through its `signal`.

    Attributes:
        signal: What to hand to who shall end.
    """

    def __init__(self) -> None:
        self.signal = AbortSignal()

    def abort(self, reason: str | None = None) -> None:
        """Ask; a second time changes nothing."""
        self.signal._abort(reason)  # noqa: SLF001 - the two are one thing
