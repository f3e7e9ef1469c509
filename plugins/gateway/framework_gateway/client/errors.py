"""What a gateway's client raises.

GatewayError
├── GatewayAnswerError       the gateway has answered that it did not do it
├── GatewayConnectionError   the connection was lost; what was asked may have been done
├── GatewayTimeoutError      no answer in time; likewise
└── GatewayRefusedError      the gateway lets the client not in, and will not later either
"""

from datetime import timedelta

from framework import FrameworkError


class GatewayError(FrameworkError):
    """What all errors of a gateway's client have in common."""


class GatewayAnswerError(GatewayError):
    """The gateway has answered a call with an error.

    Args:
        fn: The function that was called.
        code: ``EARGS``, ``EJOB``, ``EFN``, ``EREDIS`` or ``EINTERNAL``.
        message: What is wrong, in the gateway's words.
        stack: Where, from a gateway that is set to tell.
    """

    def __init__(self, fn: str, code: str, message: str, stack: str = "") -> None:
        super().__init__(fn, code, message, stack)
        self.fn = fn
        self.code = code
        self.message = message
        self.stack = stack

    def __str__(self) -> str:
        return f"{self.fn}: {self.message} ({self.code})"


class GatewayConnectionError(GatewayError, ConnectionError):
    """There is no connection any more on which an answer could come.

    Args:
        what: What was under way.
        why: What became of the connection.
        was_sent: Whether the gateway may have done it.
    """

    def __init__(self, what: str, why: str, was_sent: bool) -> None:
        super().__init__(what)  # more would be the error of a system call
        self.what = what
        self.why = why
        self.was_sent = was_sent

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.what, self.why, self.was_sent)

    def __str__(self) -> str:
        done = "it may have been done" if self.was_sent else "it was not done"
        return f"{self.what}: {self.why}; {done}"


class GatewayTimeoutError(GatewayError, TimeoutError):
    """A call was not answered in time.

    Args:
        fn: The function that was called.
        timeout: How long was waited.
        was_sent: Whether the gateway may have done it, or do it yet.
        trouble: Why there is no connection, if there is none.
    """

    def __init__(self, fn: str, timeout: timedelta, was_sent: bool, trouble: str) -> None:
        super().__init__(fn)  # more would be the error of a system call
        self.fn = fn
        self.timeout = timeout
        self.was_sent = was_sent
        self.trouble = trouble

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.fn, self.timeout, self.was_sent, self.trouble)

    def __str__(self) -> str:
        done = "it may be done yet" if self.was_sent else "it was not done"
        why = f": {self.trouble}" if self.trouble else ""
        return f"{self.fn}: no answer in {self.timeout.total_seconds():g} s; {done}{why}"


class GatewayRefusedError(GatewayError):
    """The gateway does not let the client in, and to come back would not help.

    Args:
        where: The channel.
        code: The HTTP status that the handshake was answered with: 401 a wrong token, 403 one
            that does not open this, 400 a wrong name, 404 no gateway. Or 4000: the token was
            revoked.
        reason: The gateway's words.
    """

    def __init__(self, where: str, code: int, reason: str) -> None:
        super().__init__(where, code, reason)
        self.where = where
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.where}: the gateway refuses it with {self.code}, {self.reason!r}"
