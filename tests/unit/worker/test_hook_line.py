"""Hooks that nobody waits for share a task only as long as nobody can tell."""

from contextvars import ContextVar

import anyio

from framework.declare.hooks import HookSpec
from framework.worker.hook_line import HookLine
from framework.worker.hooks import Hooks
from tests.support.until import until

BOUND: ContextVar[str] = ContextVar("bound", default="nothing")


class Heard:
    def __init__(self) -> None:
        self.begun: list[object] = []
        self.ended: list[object] = []
        self.tasks: set[int] = set()
        self.gate = anyio.Event()

    async def hear(self, event: object) -> None:
        self.begun.append(event)
        self.tasks.add(anyio.get_current_task().id)
        if event == "slow":
            await self.gate.wait()
        elif event == "bad":
            raise ValueError("bad")
        elif event == "binds":
            BOUND.set("something")
        elif event == "asks":
            event = BOUND.get()
        self.ended.append(event)


async def tell(heard: Heard, *events: str) -> Hooks:
    spec = HookSpec("worker", "completed", "hear", is_async=True, takes_event=True, where="here")
    hooks = Hooks([([spec], heard)], "worker", "demo")
    async with anyio.create_task_group() as tasks:
        line = HookLine(hooks, tasks)
        for event in events:
            line.put("completed", event)
        line.put("failed", "nobody hears")
        await until(lambda: len(heard.begun) == len(events), message="each hook was called")
        heard.gate.set()
    return hooks


async def test_a_hook_that_waits_holds_up_no_other() -> None:
    heard = Heard()

    hooks = await tell(heard, "one", "slow", "two", "slow", "three")

    assert heard.begun == ["one", "slow", "two", "slow", "three"]
    assert heard.ended == ["one", "two", "three", "slow", "slow"]
    assert hooks.pending == 0


async def test_hooks_that_do_not_wait_need_one_task() -> None:
    heard = Heard()

    hooks = await tell(heard, "one", "bad", "two", "three")

    assert heard.ended == ["one", "two", "three"]
    assert len(heard.tasks) == 1
    assert hooks.pending == 0


async def test_a_hook_finds_no_context_variable_of_another() -> None:
    heard = Heard()

    await tell(heard, "binds", "asks")

    assert heard.ended == ["binds", "nothing"]
