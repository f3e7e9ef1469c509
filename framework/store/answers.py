"""What the errors of Redis and of its connections mean: wait, look anew, or give up."""

import re

from redis import exceptions

from framework.errors import FrameworkError, KeyTypeError, RedisRefusedError, RedisUnavailableError
from framework.store.address import TLS_FILES, Address

# What passes by itself: Redis restarts, loads its data, or fails over.
PASSING = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.TryAgainError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    OSError,
)
# The same, in codes that redis-py has no classes for.
PASSING_CODES = frozenset({"UNBLOCKED", "BUSY", "NOREPLICAS", "READONLY", "MASTERDOWN"})
# Another server may be the master now, or serve these keys: look anew.
STALE = (exceptions.ReadOnlyError, exceptions.ClusterDownError, exceptions.MasterDownError)
STALE_CODES = frozenset({"UNBLOCKED", "NOREPLICAS", "READONLY", "MASTERDOWN"})
# The server has not begun the command; a script is refused at its first write.
UNTOUCHED = (
    exceptions.ReadOnlyError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
    exceptions.MasterDownError,
    exceptions.BusyLoadingError,
)
UNTOUCHED_CODES = frozenset({"READONLY", "BUSY", "NOREPLICAS", "MASTERDOWN"})
# What servers before 7.0 put before the error of a command in a script.
WRAPPED = re.compile(r"Error running script .*?: -(?P<code>[A-Z]+) ")
REFUSED = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
    exceptions.AuthenticationWrongNumberOfArgsError,
)


class LateError(exceptions.TimeoutError):
    """The deadline passed unnoticed: something blocked the event loop."""


def code_of(error: Exception) -> str:
    """Return the first word of an answer, such as ``READONLY``; of a script's error, its own."""
    text = str(error)
    wrapped = WRAPPED.match(text)
    return wrapped["code"] if wrapped else text.partition(" ")[0]


def is_passing(error: Exception) -> bool:
    """Tell whether waiting may mend ``error``."""
    if isinstance(error, REFUSED):
        return False
    return isinstance(error, PASSING) or code_of(error) in PASSING_CODES


def is_stale(error: Exception) -> bool:
    """Tell whether to ask anew which server to talk to."""
    return isinstance(error, STALE) or code_of(error) in STALE_CODES


WRONG_TYPE = "WRONGTYPE"
NO_FILE = "no such socket"
# Signs in an answer, what to say of it (None: the answer itself), and the fix (None: the usual).
SIGNS: tuple[tuple[str, str | None, str | None], ...] = (
    (
        "maxmemory",
        "it is out of memory",
        "Raise maxmemory, or keep fewer finished jobs (KeepJobs)",
    ),
    ("MISCONF", "it cannot write to its disk", "Look at its log and its disk"),
    ("DB index", None, "Correct REDIS_DB, or the number at the end of REDIS_URL"),
    ("cluster support disabled", None, "It is no cluster: write redis:// in REDIS_URL"),
    ("No such master", None, "Correct the name at the end of REDIS_URL"),
    ("WRONGPASS", None, None),
    ("NOAUTH", None, None),
)


def has_not_run(error: Exception) -> bool:
    """Tell whether the whole command was refused, so that any may be sent again."""
    return isinstance(error, UNTOUCHED) or code_of(error) in UNTOUCHED_CODES


def translate(error: Exception, address: Address) -> FrameworkError:
    """Return our error for one of redis-py's."""
    text = str(error) or type(error).__name__
    if isinstance(error, exceptions.MovedError):
        text, fix = "it is a node of a cluster", "Write redis+cluster:// in REDIS_URL"
        return RedisRefusedError(address.name, text, fix=fix)
    if isinstance(error, LateError):
        fix = 'Make the handler a plain def with run_in="thread"'
        return RedisUnavailableError(address.name, text, fix=fix)
    for sign, problem, fix_of_sign in SIGNS:
        if sign in text:
            return RedisRefusedError(address.name, problem or text, fix=fix_of_sign)
    if isinstance(error, REFUSED):
        return RedisRefusedError(address.name, text)
    if is_passing(error):
        return unreachable(error, address)
    return unexpected(text, address)


def unexpected(text: str, address: Address) -> RedisRefusedError:
    """Return the error of an answer that no right command should get."""
    if WRONG_TYPE in text:
        return KeyTypeError(address.name)
    fix = "This answer is not expected; report it with the server's version"
    return RedisRefusedError(address.name, text, fix=fix)


REPLICA_FIX = "Name its master in REDIS_URL, or its Sentinels: redis+sentinel://"


def unreachable(error: Exception, address: Address) -> RedisUnavailableError:
    """Return the error of a failed connection; over TLS no socket is missing, but a file."""
    if code_of(error) == "READONLY" or isinstance(error, exceptions.ReadOnlyError):
        problem = "it is a replica, and refuses writes"
        return RedisUnavailableError(address.name, problem, fix=REPLICA_FIX)
    reason = reason_of(error)
    if address.tls is None or reason != NO_FILE:
        return RedisUnavailableError(address.name, reason)
    files = ", ".join(str(address.tls[one]) for one in TLS_FILES if one in address.tls)
    fix = "Correct REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY, or REDIS_URL"
    return RedisUnavailableError(address.name, f"no such file: {files}", fix=fix)


def reason_of(error: BaseException) -> str:
    """Word a failed connection in a few words."""
    text = str(error)
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return "no answer in time"
    for sign, words in (
        ("refused", "connection refused"),
        ("Errno 111", "connection refused"),
        ("Error 111 ", "connection refused"),
        ("Errno 61", "connection refused"),
        ("Error 61 ", "connection refused"),
        ("Errno 2 ", NO_FILE),
        ("No such file", NO_FILE),
        ("Name or service not known", "no such host"),
        ("nodename nor servname", "no such host"),
        ("Temporary failure in name resolution", "no such host"),
        ("closed", "connection closed"),
        ("reset", "connection reset"),
    ):
        if sign in text:
            return words
    return text or type(error).__name__
