"""One task on a server: watched, awaited, aborted."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Literal

import anyio
import httpx2
from pydantic import TypeAdapter

from framework_web.client.errors import TaskFailedError, TaskTimeoutError
from framework_web.client.http import ask
from framework_web.client.stream import END, Stream
from framework_web.client.view import FINAL, NAMES, R, TaskEvent, TaskView, changed, view_of

Effect = Literal["done", "asked", "later"]
HALF_A_MINUTE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Links:
    """Where a task is."""

    self: httpx2.URL
    events: httpx2.URL
    abort: httpx2.URL

    @classmethod
    def below(cls, url: httpx2.URL) -> "Links":
        """Return those of a task at an address."""
        return cls(url, below(url, "events"), url)

    @classmethod
    def told(cls, base: httpx2.URL, links: Mapping[str, str]) -> "Links":
        """Return those that a server told."""
        return cls(base.join(links["self"]), base.join(links["events"]), base.join(links["abort"]))


class RemoteTask(Generic[R]):
    """A task that `TaskClient` started, or that was started before.

    Attributes:
        type: Its type.
        id: Its id.
        token: Lets whoever has it watch this task, and perhaps abort it, for a while; if the
            server signs such tokens.
    """

    def __init__(
        self,
        type_name: str,
        task_id: str,
        links: Links,
        http: httpx2.AsyncClient,
        result: TypeAdapter[R],
        patience: timedelta,
        token: str | None,
    ) -> None:
        self.type = type_name
        self.id = task_id
        self.token = token
        self._links = links
        self._http = http
        self._result = result
        self._patience = patience

    async def look(self) -> TaskView[R]:
        """See how it stands."""
        told = await ask(self._http, "GET", self._links.self, token=self.token)
        return view_of(told, self._result)

    async def events(self) -> AsyncGenerator[TaskEvent[R], None]:
        """Follow it live: first how it stands, then each change; ends with it.

        Of one that had ended before comes what it streamed and logged, after its snapshot.

        A line that breaks is mended, and nothing is missed. Wrap it in `contextlib.aclosing` where
        you leave it early.

        Raises:
            TaskRefusedError: There is no such task, or it is not to be watched.
            TaskUnreachableError: The server was away for longer than the client's patience.
        """
        view: TaskView[R] | None = None
        next_chunk = 0
        stream = Stream(self._http, self._links.events, self._patience, self.token)
        async with aclosing(stream.events()) as told:
            async for name, data in told:
                if name == END and view is not None and view.is_final:
                    return
                known = NAMES.get(name)
                if known is None or (view is None and known != "snapshot"):
                    continue
                if name == "chunk":
                    if data["index"] < next_chunk:
                        continue  # a stream that is opened anew tells its story anew
                    next_chunk = data["index"] + 1
                if view is None or name == "snapshot":
                    view = view_of(data, self._result)
                else:
                    view = changed(view, name, data, self._result)
                yield TaskEvent(known, data, view)
                if name in FINAL:
                    return

    async def wait(self, timeout: timedelta | None = HALF_A_MINUTE) -> R:
        """Return its result; at once if it has one.

        Args:
            timeout: None waits for ever.

        Raises:
            TaskFailedError: It failed, or was aborted.
            TaskTimeoutError: It has not ended; it goes on.
            TaskRefusedError: There is no such task, or it is not to be watched.
            TaskUnreachableError: The server was away for longer than the client's patience.
        """
        with anyio.move_on_after(None if timeout is None else timeout.total_seconds()):
            last = await self._last_event()
            view = last.view
            if view.status == "completed":
                return self._result.validate_python(last.data["result"])
            raise TaskFailedError(
                type_name=self.type,
                task_id=self.id,
                reason=view.error or "the task failed",
                attempts_made=view.attempts_made,
            )
        raise TaskTimeoutError(type_name=self.type, task_id=self.id, timeout=timeout or timedelta())

    async def _last_event(self) -> TaskEvent[R]:
        async with aclosing(self.events()) as events:
            async for event in events:
                if event.view.is_final:
                    return event
        raise AssertionError("events end with the task")

    async def abort(self) -> Effect:
        """Cancel it, wherever it runs; it fails as cancelled.

        Returns:
            ``done``: it has failed; ``asked``: its worker was told; ``later``: once it may be.
        """
        told = await ask(self._http, "DELETE", self._links.abort, token=self.token)
        effect: Effect = told["effect"]
        return effect

    async def retry(self) -> None:
        """Put it back in line after it failed."""
        await self._act("retry")

    async def pause(self) -> None:
        """Hold it until somebody resumes it."""
        await self._act("pause")

    async def resume(self) -> None:
        """Let it go on."""
        await self._act("resume")

    async def _act(self, name: str) -> Any:  # noqa: ANN401 - JSON
        return await ask(self._http, "POST", below(self._links.self, name))


def below(url: httpx2.URL, name: str) -> httpx2.URL:
    """Return an address below another, with what is asked of that: a token that lets us watch."""
    path, _, query = url.raw_path.decode().partition("?")
    below = f"{path.rstrip('/')}/{name}" + (f"?{query}" if query else "")
    return url.copy_with(raw_path=below.encode())
