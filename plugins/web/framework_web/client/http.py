"""Asking the server: every way that can go wrong is one of our errors."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx2

from framework_web.client.errors import TaskRefusedError, TaskUnreachableError

PASSING = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)

AUTHORIZATION = "authorization"


async def ask(
    http: httpx2.AsyncClient,
    method: str,
    url: httpx2.URL,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    token: str | None = None,
) -> Any:  # noqa: ANN401 - JSON
    """Ask once, and return the JSON of the answer.

    Args:
        token: A watch token, sent where the client has no authorization of its own.

    Raises:
        TaskRefusedError: The answer is an error that another try does not mend.
        TaskUnreachableError: There is no answer, or one of a server that is not well.
    """
    try:
        sent = {**bearing(http, token), **(headers or {})}
        response = await http.request(method, url, headers=sent, content=body)
    except httpx2.TransportError as error:
        raise TaskUnreachableError(url=shown(url), reason=reason_of(error)) from error
    await check(response)
    try:
        return response.json()
    except ValueError as error:
        said = response.headers.get("content-type", "nothing")
        raise TaskUnreachableError(url=shown(url), reason=f"it sent {said}, not JSON") from error


async def check(response: httpx2.Response) -> None:
    """Raise what an answer says if it is an error."""
    if response.is_success:
        return
    url, status = shown(response.url), response.status_code
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in PASSING:
        wish = response.headers.get("retry-after", "")
        raise TaskUnreachableError(
            url=url,
            reason=f"it answered {status}",
            retry_after=float(wish) if wish.isdecimal() else 0,
        )
    raise TaskRefusedError(url=url, status=status, problem=await problem_of(response))


def bearing(http: httpx2.AsyncClient, token: str | None) -> dict[str, str]:
    """Return the headers that send a watch token."""
    is_needed = token is not None and AUTHORIZATION not in http.headers
    return {AUTHORIZATION: f"Bearer {token}"} if is_needed else {}


def shown(url: httpx2.URL) -> str:
    """Return an address without what is asked of it: that may be a token."""
    return str(url.copy_with(query=None))


async def problem_of(response: httpx2.Response) -> Mapping[str, object]:
    """Return what an error says of itself; nothing if that is no JSON."""
    try:
        await response.aread()
        found = response.json()
    except (httpx2.TransportError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def reason_of(error: Exception) -> str:
    """Word an error that may have no words."""
    return str(error) or type(error).__name__
