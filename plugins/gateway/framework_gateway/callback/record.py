"""A worker that is called over HTTP, as a client registers it and as it stands in Redis."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from framework import KeepJobs, Limiter
from framework_gateway.errors import bad_request
from framework_gateway.names import check_queue_name
from framework_gateway.option_check import MAX_INT, MAX_MS
from framework_gateway.settings import GatewaySettings
from framework_gateway.shown import is_number, refuse_unknown, shown, whole

METHODS = ("POST", "PUT", "PATCH")
TIMEOUT_MS = 3000
# Header fields whose owner is whoever sends the request.
OUR_HEADERS = frozenset({
    "connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding",
    "upgrade",
})  # fmt: skip
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is called with each job.

    Attributes:
        url: Its URL.
        method: In capitals.
        headers: To send along.
        timeout: How long it may take to answer.
    """

    url: str
    method: str
    headers: Mapping[str, str]
    timeout: timedelta

    @property
    def host(self) -> str:
        """Its host; the rest of the URL may be secret."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class HttpWorker:
    """A worker that is called over HTTP.

    Attributes:
        queue: The queue that it works.
        endpoint: What is called.
        concurrency: How many jobs at once.
        limiter: How many jobs in a time.
        remove_on_complete: How long to keep completed jobs that do not say it.
        remove_on_fail: The same of failed ones.
        max_stalled_count: How often a job may stall.
    """

    queue: str
    endpoint: Endpoint
    concurrency: int = 1
    limiter: Limiter | None = None
    remove_on_complete: KeepJobs | bool | None = None
    remove_on_fail: KeepJobs | bool | None = None
    max_stalled_count: int = 1


def digest_of(stored: bytes) -> str:
    """Return what tells one stored worker from another."""
    return hashlib.sha256(stored).hexdigest()


def read_worker(body: Any, settings: GatewaySettings) -> HttpWorker:  # noqa: ANN401 - out of JSON
    """Read a worker.

    Raises:
        AnswerError: 400, with the first thing that is wrong.
    """
    if not isinstance(body, dict):
        raise bad_request("Body must be an object")
    demand_members(body, ("queue", "endpoint"))
    refuse(body, ("queue", "endpoint", "opts"))
    queue = check_queue_name(body["queue"], settings)
    endpoint = read_endpoint(body["endpoint"])
    opts = body.get("opts")
    return read_options(queue, endpoint, {} if opts is None else opts, settings)


def refuse(given: Mapping[str, object], known: Iterable[str]) -> None:
    """Refuse a member that there is not. Raises as `read_worker`."""
    refuse_unknown(given, tuple(known), "Invalid field: {}".format)


def demand_members(given: Mapping[str, object], names: Iterable[str]) -> None:
    """Refuse what leaves a member out, or empty. Raises as `read_worker`."""
    for name in names:
        if given.get(name) in (None, ""):
            raise bad_request(f"{name} is required")


def invalid(name: str) -> Exception:
    """Return what refuses a value."""
    return bad_request(f"Invalid {name}")


def read_endpoint(given: object) -> Endpoint:
    """Read what is to be called. Raises as `read_worker`."""
    if not isinstance(given, dict):
        raise invalid("endpoint")
    demand_members(given, ("url", "method"))
    refuse(given, ("url", "method", "headers", "timeout"))
    method = given["method"]
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise bad_request(f"Invalid HTTP method {shown(method)}")
    timeout = whole(given.get("timeout", TIMEOUT_MS), 1, MAX_MS)
    if timeout is None:
        raise invalid("timeout")
    return Endpoint(
        read_url(given["url"]),
        method.upper(),
        read_headers(given.get("headers")),
        timedelta(milliseconds=timeout),
    )


def read_url(given: object) -> str:
    """Read a URL: http or https, a host, and no password, which belongs into a header."""
    try:
        parts = urlsplit(given if isinstance(given, str) else "")
        is_good = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and parts.username is None
            and parts.password is None
            and isinstance(given, str)
            and given.isascii()
            and given.isprintable()
            and " " not in given
        )
    except ValueError:
        is_good = False
    if not is_good:
        raise invalid("URL")
    return str(given)


def read_headers(given: object) -> Mapping[str, str]:
    """Read header fields. Raises as `read_worker`."""
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(is_field(*field) for field in given.items()):
        raise invalid("headers")
    return dict(given)


def is_field(name: str, value: object) -> bool:
    """Tell whether a header field can be sent, and is not for the sender to decide."""
    if not isinstance(value, str) or not name or not TOKEN.issuperset(name):
        return False
    is_value = value.isprintable() or not value.replace("\t", "").strip(" ")
    return is_value and value.isascii() and name.lower() not in OUR_HEADERS


def read_options(
    queue: str,
    endpoint: Endpoint,
    opts: Any,  # noqa: ANN401 - out of JSON
    settings: GatewaySettings,
) -> HttpWorker:
    """Read how it works. Raises as `read_worker`."""
    if not isinstance(opts, dict):
        raise invalid("opts")
    refuse(opts, ("concurrency", "removeOnComplete", "removeOnFail", "limiter", "maxStalledCount"))
    concurrency = whole(opts.get("concurrency", 1), 1, settings.max_concurrency)
    if concurrency is None:
        raise invalid("concurrency")
    stalls: int | None = settings.max_stalled_count
    if "maxStalledCount" in opts:
        stalls = whole(opts["maxStalledCount"], 1, MAX_INT)
    if stalls is None:
        raise invalid("maxStalledCount")
    return HttpWorker(
        queue,
        endpoint,
        concurrency,
        read_limiter(opts["limiter"]) if "limiter" in opts else None,
        read_keep("removeOnComplete", opts.get("removeOnComplete")),
        read_keep("removeOnFail", opts.get("removeOnFail")),
        stalls,
    )


def read_limiter(given: object) -> Limiter:
    """Read how many jobs may start in a time. Raises as `read_worker`."""
    if not isinstance(given, dict):
        raise invalid("limiter")
    refuse(given, ("max", "duration"))
    most, duration = whole(given.get("max"), 1, MAX_INT), whole(given.get("duration"), 1, MAX_MS)
    if most is None:
        raise invalid("limiter.max")
    if duration is None:
        raise invalid("limiter.duration")
    return Limiter(most, timedelta(milliseconds=duration))


def read_keep(name: str, given: Any) -> KeepJobs | bool | None:  # noqa: ANN401 - out of JSON
    """Read how long to keep jobs. Raises as `read_worker`."""
    if given is None or isinstance(given, bool):
        return given
    if is_number(given):
        count = whole(given, -1, MAX_INT)
        if count is None:
            raise invalid(name)
        return KeepJobs(count) if count >= 0 else KeepJobs()
    if not isinstance(given, dict):
        raise invalid(name)
    refuse(given, ("count", "age", "limit"))
    told: dict[str, int] = {}
    for member, value in given.items():
        number = whole(value, 0, MAX_INT)
        if number is None:
            raise invalid(f"{name}.{member}")
        told[member] = number
    age = timedelta(seconds=told["age"]) if "age" in told else None
    return KeepJobs(told.get("count"), age, told.get("limit"))
