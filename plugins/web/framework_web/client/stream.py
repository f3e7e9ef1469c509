"""The stream of a task's events, opened again from where it broke off."""

import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import anyio
import httpx2

from framework_web.client.errors import TaskUnreachableError
from framework_web.client.http import bearing, check, reason_of, shown

# The heart of the server beats each 15 s: what is silent for three beats is dead.
TIMEOUT = httpx2.Timeout(30, read=45)
FIRST_RETRY = 1.0
LONGEST_RETRY = 30.0
# Stands for an event where the server ended the stream by itself.
END = "end"


class Stream:
    """All events of one task, whatever happens to the line.

    Args:
        http: What asks.
        url: Where the events are.
        patience: How long the server may be away.
        token: A watch token, if that is what lets us watch.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        url: httpx2.URL,
        patience: timedelta,
        token: str | None = None,
    ) -> None:
        self._http = http
        self._url = url
        self._token = token
        self._patience = patience.total_seconds()
        self._last = ""
        self._retry = FIRST_RETRY
        self._failures = 0
        self._away_since: float | None = None

    async def events(self) -> AsyncGenerator[tuple[str, Any], None]:
        """Yield the name and data of each event, until the caller has heard enough.

        ``END`` is among them, wherever the server had no more to tell.

        Raises:
            TaskRefusedError: There is no such task, or it is not to be watched.
            TaskUnreachableError: The server was away for longer than `patience`.
        """
        while True:
            try:
                async for event in self._opened():
                    yield event
                yield END, None
                error = TaskUnreachableError(url=shown(self._url), reason="it ended the stream")
            except httpx2.TransportError as cause:
                error = TaskUnreachableError(url=shown(self._url), reason=reason_of(cause))
                error.__cause__ = cause
            except TaskUnreachableError as cause:
                error = cause
            await self._pause(error)

    async def _opened(self) -> AsyncGenerator[tuple[str, Any], None]:
        headers = {"Accept": "text/event-stream", **bearing(self._http, self._token)}
        if self._last:
            headers["Last-Event-ID"] = self._last
        asked = self._http.stream("GET", self._url, headers=headers, timeout=TIMEOUT)
        async with asked as response:
            await check(response)
            if response.status_code == httpx2.codes.NO_CONTENT:
                self._last = ""  # nothing came after that: see how it stands
                return
            async for event in httpx2.EventSource(response, max_event_size=None):
                self._failures, self._away_since = 0, None
                self._last = event.id or self._last
                if event.retry is not None:
                    self._retry = event.retry / 1000
                if event.data:
                    yield event.event, json.loads(event.data)

    async def _pause(self, error: TaskUnreachableError) -> None:
        now = anyio.current_time()
        self._away_since = now if self._away_since is None else self._away_since
        if now - self._away_since >= self._patience:
            raise error
        longer = min(self._retry * 2**self._failures, LONGEST_RETRY)
        self._failures += 1
        await anyio.sleep(max(longer, error.retry_after))
