"""Who listens to an object, and how it tells them."""

import asyncio  # a listener that is a coroutine function runs beside who emits
from collections.abc import Callable, Coroutine
from inspect import isawaitable
from typing import Any, TypeVar

import structlog

from framework_bullmq.refusals import Refuses

Listener = TypeVar("Listener", bound=Callable[..., object])
log = structlog.get_logger("framework_bullmq")


class EventEmitter(Refuses):
    """Tells listeners by the name of an event. What they raise harms nobody else."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[..., object]]] = {}
        self._told: set[asyncio.Task[None]] = set()

    def on(self, event_name: str, function: Listener) -> Listener:
        """Call a function on each event of a name; a coroutine function runs beside."""
        self._listeners.setdefault(event_name, []).append(function)
        return function

    def off(self, event_name: str, function: Callable[..., object]) -> None:
        """Call it no more.

        Raises:
            ValueError: It does not listen.
        """
        self._listeners.get(event_name, []).remove(function)

    def emit(self, event_name: str, *args: object, **kwargs: object) -> None:
        """Tell who listens, in the order in which they began to; an error goes to the log else."""
        listeners = tuple(self._listeners.get(event_name, ()))
        if event_name == "error" and not listeners:
            log.error("nobody listens to error", error=str(args[0]) if args else "")
        for function in listeners:
            try:
                told = function(*args, **kwargs)
            except Exception as error:  # a listener is no part of what it hears of
                self._failed(event_name, error)
            else:
                if isawaitable(told):
                    self._follow(event_name, told)

    def hears(self, event_name: str) -> bool:
        """Tell whether anybody listens."""
        return bool(self._listeners.get(event_name))

    def _follow(self, event_name: str, told: Any) -> None:  # noqa: ANN401 - anything to await
        async def wait() -> None:
            try:
                await told
            except Exception as error:  # as above
                self._failed(event_name, error)

        waiting: Coroutine[Any, Any, None] = wait()
        task = asyncio.get_running_loop().create_task(waiting)
        self._told.add(task)
        task.add_done_callback(self._told.discard)

    def _failed(self, event_name: str, error: Exception) -> None:
        if event_name != "error" and self.hears("error"):
            self.emit("error", error)
        else:
            log.error("listener failed", on=event_name, exc_info=error)
