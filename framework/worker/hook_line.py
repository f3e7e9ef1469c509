"""Hooks that nobody waits for, in as few tasks as they leave.

A task for each event cost more than the call of most hooks. One task calls those of all events
that came at once, as long as none of them waits: then another goes on with the rest. So each
hook is called as soon as if it had a task of its own, and holds up no other one.
"""

import asyncio  # noqa: TID251 - anyio cannot call back once a task waits
import operator
from collections import deque
from contextvars import Context, copy_context

from anyio.abc import TaskGroup

from framework.worker.current import CURRENT
from framework.worker.hooks import Hooks


class HookLine:
    """The events of one worker that its hooks have yet to hear.

    Args:
        hooks: Who hears them.
        tasks: Where those run.
    """

    def __init__(self, hooks: Hooks, tasks: TaskGroup) -> None:
        self._hooks = hooks
        self._tasks = tasks
        self._events: deque[tuple[str, object]] = deque()
        self._is_seen_to = False
        self._turn = 0

    def put(self, name: str, event: object) -> None:
        """Let all hooks of an event be called soon, after those of the events before it."""
        if self._hooks.hears(name):
            self._hooks.pending += 1
            self._events.append((name, event))
            if not self._is_seen_to:
                self._is_seen_to = True
                self._tasks.start_soon(self._tell)

    async def _tell(self) -> None:
        CURRENT.set(None)  # a hook is told which job it is about: its lines are not that job's
        clean, turn = copy_context(), self._turn
        # Comes once this task waits or ends, not before.
        asyncio.get_running_loop().call_soon(self._go_on)
        while self._events and self._turn == turn and is_same(clean):
            name, event = self._events.popleft()
            try:
                await self._hooks.tell(name, event)
            finally:
                self._hooks.count_done()

    def _go_on(self) -> None:
        """Leave what is left to another task."""
        self._turn += 1
        self._is_seen_to = bool(self._events)
        if self._events:
            self._tasks.start_soon(self._tell)


def is_same(context: Context) -> bool:
    """Tell whether no context variable was set since: each hook finds them as they were."""
    now = copy_context()
    return len(now) == len(context) and all(map(operator.is_, now.values(), context.values()))
