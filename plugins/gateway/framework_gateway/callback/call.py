"""One call of an endpoint with a job: what is sent, and what the answer makes of the job."""

import os
import socket
import ssl
from email.message import Message
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpcore2
from pydantic_core import to_json

from framework import HandlerError, Job, job_json
from framework_gateway.callback.allow import Allowed, GuardedBackend
from framework_gateway.callback.lines import Lines
from framework_gateway.callback.record import Endpoint
from framework_gateway.errors import JSON, AnswerError
from framework_gateway.strict_json import json_of

MOST_CHARACTERS = 1000
OTHER_BYTES = 4 * MOST_CHARACTERS


class Caller:
    """Calls endpoints, over connections that are used again. An async context manager.

    Redirects are not followed, no proxy is used, and no cookie is kept.

    Args:
        allowed: What may be called.
        most: The largest answer that is taken, in bytes.
    """

    def __init__(self, allowed: Allowed, most: int) -> None:
        self._most = most
        is_free = allowed.is_everything
        self._lines = Lines(httpcore2.AnyIOBackend() if is_free else GuardedBackend(allowed))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._lines.aclose()

    async def call(self, endpoint: Endpoint, job: Job[Any, Any], token: str) -> Any:  # noqa: ANN401 - whatever it answers
        """Call an endpoint with a job; return what the job returns.

        Raises:
            HandlerError: The job's attempt has failed; its text is the reason.
        """
        body = b'{"job":%b,"token":%b}' % (job_json(job), to_json(token))
        seconds = endpoint.timeout.total_seconds()
        try:
            with anyio.fail_after(seconds):
                status, phrase, kind, answer = await self._send(endpoint, body)
        except TimeoutError:
            ms = round(seconds * 1000)
            raise failed(f"The operation was aborted: timeout of {ms} ms") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            raise failed(words_of(error)) from None
        if status // 100 != HTTPStatus.OK // 100:
            raise failed(refusal(status, phrase, text_of(kind, answer[:OTHER_BYTES])))
        if status == HTTPStatus.NO_CONTENT or kind.get_content_type() != JSON:
            return text_of(kind, answer)
        try:
            return json_of(answer)
        except AnswerError as error:
            raise failed(error.message) from None

    async def _send(self, endpoint: Endpoint, body: bytes) -> tuple[int, str, Message, bytes]:
        fields = fields_of(endpoint, len(body))
        request = httpcore2.Request(endpoint.method, endpoint.url, headers=fields, content=body)
        async with self._lines.send(request) as response:
            answer = bytearray()
            async for part in response.aiter_stream():
                answer += part
                if len(answer) > self._most:
                    raise failed(f"The answer has more than {self._most} bytes")
            return response.status, phrase_of(response), kind_of(response), bytes(answer)


def kind_of(response: httpcore2.Response) -> Message:
    """Return what an answer says of its body."""
    kind = Message()
    for name, value in response.headers:
        if name.lower() == b"content-type" and kind["content-type"] is None:
            kind["content-type"] = value.decode("latin-1")
    if kind["content-type"] is None:
        kind["content-type"] = "text/plain"
    return kind


def fields_of(endpoint: Endpoint, length: int) -> list[tuple[str, str]]:
    """Return the header fields of a request: as registered, and what it cannot do without."""
    fields = dict(endpoint.headers)
    own = {name.lower() for name in fields}
    ours = {
        "Host": urlsplit(endpoint.url).netloc,
        "Content-Type": JSON,
        "Accept-Encoding": "identity",
        "User-Agent": "framework-gateway",
    }
    fields |= {name: value for name, value in ours.items() if name.lower() not in own}
    return [*fields.items(), ("Content-Length", str(length))]


def phrase_of(response: httpcore2.Response) -> str:
    """Return the reason phrase of an answer, or the usual one of its status."""
    said: bytes = response.extensions.get("reason_phrase", b"")
    if said:
        return said.decode("latin-1")
    try:
        return HTTPStatus(response.status).phrase
    except ValueError:
        return ""


def text_of(kind: Message, answer: bytes) -> str:
    """Return a body as text."""
    try:
        return answer.decode(kind.get_content_charset("utf-8"), errors="replace")
    except LookupError:
        return answer.decode(errors="replace")


def refusal(status: int, phrase: str, body: str) -> str:
    """Return the reason of a job whose endpoint answered an error."""
    begin = f"{status} {phrase}".rstrip()
    return f"{begin}: {body[:MOST_CHARACTERS]}" if body else begin


def words_of(error: Exception) -> str:
    """Return what a connection said."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            # These two have numbers of their own; the words of others name addresses.
            has_own = isinstance(cause, socket.gaierror | ssl.SSLError)
            return str(cause.strerror) if has_own else os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


def failed(reason: str) -> HandlerError:
    """Return what fails an attempt: its reason, and nothing of where the gateway raised it."""
    return HandlerError("CallbackError", reason, reason)
