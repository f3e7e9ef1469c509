"""Starting tasks over HTTP."""

from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, overload
from urllib.parse import quote

import httpx2
from pydantic import TypeAdapter
from pydantic_core import to_json

from framework_web.client.http import ask
from framework_web.client.remote_task import Links, RemoteTask, below
from framework_web.client.view import R

A_MINUTE = timedelta(minutes=1)
ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


class TaskClient:
    """Starts tasks of a server that has the plugin `web`, and watches them.

    Use it with ``async with``.

    Args:
        url: Where its tasks are, such as ``http://127.0.0.1:3000/tasks``.
        headers: Sent with each request: an API key.
        http: Asks in place of a client of our own, and is not closed.
        patience: How long the server may be away while a task is watched.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        http: httpx2.AsyncClient | None = None,
        patience: timedelta = A_MINUTE,
    ) -> None:
        self._url = httpx2.URL(url)
        self._owns = http is None
        # Each task that is watched has a connection.
        self._http = http or httpx2.AsyncClient(
            headers=headers, timeout=30, limits=httpx2.Limits(max_connections=None)
        )
        self._patience = patience

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._owns:
            await self._http.aclose()

    @overload
    async def start(
        self,
        type_name: str,
        data: object,
        *,
        result: type[R],
        idempotency_key: str | None = None,
    ) -> RemoteTask[R]: ...

    @overload
    async def start(
        self,
        type_name: str,
        data: object,
        *,
        result: None = None,
        idempotency_key: str | None = None,
    ) -> RemoteTask[Any]: ...

    async def start(
        self,
        type_name: str,
        data: object,
        *,
        result: type[Any] | None = None,
        idempotency_key: str | None = None,
    ) -> RemoteTask[Any]:
        """Start a task.

        Args:
            type_name: What kind of task.
            data: Its payload: a model of pydantic, or whatever JSON can say.
            result: What its result is read as, such as a model of pydantic.
            idempotency_key: Its id: starting twice with the same key starts once.

        Raises:
            TaskRefusedError: There is no such type, the payload does not fit, or we may not.
            TaskUnreachableError: The server is not there, or not well. Without a key nobody knows
                whether the task was started.
        """
        url = below(self._url, quote(type_name, safe=""))
        headers = {"Content-Type": "application/json"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        told = await ask(self._http, "POST", url, headers=headers, body=to_json(data))
        links = Links.told(url, told["links"])
        return self._task(type_name, told["id"], links, result, told.get("token"))

    @overload
    def task(
        self, type_name: str, task_id: str, *, result: type[R], token: str | None = None
    ) -> RemoteTask[R]: ...

    @overload
    def task(
        self, type_name: str, task_id: str, *, result: None = None, token: str | None = None
    ) -> RemoteTask[Any]: ...

    def task(
        self,
        type_name: str,
        task_id: str,
        *,
        result: type[Any] | None = None,
        token: str | None = None,
    ) -> RemoteTask[Any]:
        """Return a task that was started before. Asks for nothing yet.

        Args:
            type_name: Its type.
            task_id: Its id.
            result: As of `start`.
            token: Its watch token, where that is what lets us watch.
        """
        url = below(below(self._url, quote(type_name, safe="")), quote(task_id, safe=""))
        return self._task(type_name, task_id, Links.below(url), result, token)

    def _task(
        self,
        type_name: str,
        task_id: str,
        links: Links,
        result: type[Any] | None,
        token: str | None,
    ) -> RemoteTask[Any]:
        adapter = ANYTHING if result is None else TypeAdapter(result)
        return RemoteTask(type_name, task_id, links, self._http, adapter, self._patience, token)
