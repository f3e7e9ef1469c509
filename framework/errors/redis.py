"""What is wrong with Redis, with what it holds, or with the embedded server."""

from framework.errors.base import FrameworkError


class RedisUnavailableError(FrameworkError):
    """Redis does not answer.

    Args:
        address: Where it was looked for, without its password.
        problem: What the connection said.
    """

    fix = "Set REDIS_URL, or run: framework dev"

    def __init__(self, address: str, problem: str, *, fix: str | None = None) -> None:
        super().__init__(address, problem)
        self.address = address
        self.problem = problem.rstrip(". ")
        self.fix = type(self).fix if fix is None else fix

    def __str__(self) -> str:
        return f"cannot reach redis at {self.address} ({self.problem}). {self.fix}"


class RedisRefusedError(RedisUnavailableError):
    """Redis answers, but refuses what was asked of it."""

    fix = "Check the user, the password and the rights in REDIS_URL"

    def __str__(self) -> str:
        return f"redis at {self.address} refused: {self.problem}. {self.fix}"


class KeyTypeError(RedisRefusedError):
    """A key of a queue is not of the type that it should be: somebody else wrote it.

    Args:
        address: Of the server.
        key: The key; empty where it is not known which one.
        found: Its type, in Redis' words.
        wanted: What it should be.
    """

    def __init__(self, address: str, *, key: str = "", found: str = "", wanted: str = "") -> None:
        what = f"{key} is a {found}, it should be a {wanted}"
        problem = what if key else "a key is not of the type that it should be"
        fix = f"Look at who wrote it, and take it away: RENAME {key} {key}.odd"
        super().__init__(address, problem, fix=fix if key else "The log of a worker names the key")
        self.key = key
        self.found = found
        self.wanted = wanted


class FormatError(FrameworkError):
    """A queue was written by a newer release than this one.

    Args:
        queue: The queue's name.
        found: The format number in Redis.
        known: The highest number this release reads.
    """

    def __init__(self, *, queue: str, found: int, known: int) -> None:
        super().__init__(queue, found, known)
        self.queue = queue
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return (
            f'queue "{self.queue}" holds format {self.found}, this release reads up to '
            f"{self.known}. Upgrade this process to the release that the others run"
        )


class ServerError(FrameworkError):
    """The embedded server cannot be found, started or stopped."""
