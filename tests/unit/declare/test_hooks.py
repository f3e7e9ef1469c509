from collections.abc import Callable
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from framework.declare.hooks import hooks_of, on_event, on_queue_event
from framework.declare.processor import processor
from framework.declare.spec import resolve
from framework.errors import DeclarationError
from framework.model.events import Completed, Failed, QueueEvent, WorkerEvent
from framework.model.job import Job

Write = Callable[[str, str], ModuleType]


class Greet(BaseModel):
    name: str


HEAD = """
from framework.declare.hooks import on_event, on_queue_event
from framework.model.events import Completed, Failed, QueueEvent

class Mail:
"""


def complaint(write: Write, body: str) -> str:
    indented = "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
    with pytest.raises(DeclarationError) as caught:
        hooks_of(write("shop.mail", HEAD.lstrip("\n") + indented).Mail)
    return str(caught.value)


def test_hooks_are_found_with_what_they_hear() -> None:
    @processor("greetings")
    class Greeter:
        async def process(self, job: Job[Greet]) -> str:
            raise NotImplementedError

        @on_event("completed")
        async def note(self, event: Completed[Greet, str]) -> None: ...

        @on_event("drained")
        def rest(self) -> None: ...

        @on_queue_event("added")
        async def seen(self, event: QueueEvent) -> None: ...

    hooks = resolve(Greeter).hooks

    assert [
        (one.scope, one.event, one.attribute, one.is_async, one.takes_event) for one in hooks
    ] == [
        ("worker", "completed", "note", True, True),
        ("worker", "drained", "rest", False, False),
        ("queue", "added", "seen", True, True),
    ]


def test_one_method_may_hear_several_events() -> None:
    class Greeter:
        @on_event("completed")
        @on_event("failed")
        @on_queue_event("paused")
        async def note(self, event: Completed[Greet] | Failed[Greet] | QueueEvent) -> None: ...

    assert [(one.scope, one.event) for one in hooks_of(Greeter)] == [
        ("worker", "completed"),
        ("worker", "failed"),
        ("queue", "paused"),
    ]


def test_hooks_are_inherited_and_can_be_overridden() -> None:
    class Base:
        @on_event("completed")
        async def note(self) -> None: ...

        @on_event("failed")
        async def page(self) -> None: ...

    class Greeter(Base):
        async def page(self) -> None: ...

    assert [one.attribute for one in hooks_of(Greeter)] == ["note"]


def test_a_hook_need_not_narrow_what_it_hears() -> None:
    class Greeter:
        @on_event("completed")
        async def union(self, event: WorkerEvent) -> None: ...

        @on_event("completed")
        async def anything(self, event: Any) -> None: ...  # noqa: ANN401  # the point

        @on_event("completed")
        async def untyped(self, event): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202

        @on_event("completed")
        async def optional(self, event: object = None, times: int = 3) -> None: ...

    assert [one.takes_event for one in hooks_of(Greeter)] == [True] * 4


def test_the_decorators_return_the_method() -> None:
    async def note(self: object) -> None: ...

    assert on_event("completed")(note) is note
    assert on_queue_event("completed")(note) is note


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            '@on_event("complete")\nasync def note(self) -> None: ...',
            'shop/mail.py:5: @on_event("complete"): workers have no such event. '
            "Did you mean completed? known: active, completed, failed, progress, stalled, "
            "drained; for the queue's, write @on_queue_event",
        ),
        (
            '@on_event("paused")\nasync def note(self) -> None: ...',
            'shop/mail.py:5: @on_event("paused"): workers have no such event. '
            "Known: active, completed, failed, progress, stalled, drained; "
            "for the queue's, write @on_queue_event",
        ),
        (
            '@on_queue_event("")\nasync def note(self) -> None: ...',
            "shop/mail.py:5: @on_queue_event(''): no event's name. "
            'Write one, as in @on_queue_event("completed")',
        ),
        (
            '@on_event("completed")\nasync def note(self, event: Failed[int]) -> None: ...',
            'shop/mail.py:5: Mail.note(event: Failed[int]) hears "completed". '
            "Annotate it as Completed",
        ),
        (
            '@on_queue_event("completed")\n'
            "async def note(self, event: Completed[int]) -> None: ...",
            'shop/mail.py:5: Mail.note(event: Completed[int]) hears "completed". '
            "Annotate it as QueueEvent",
        ),
        (
            '@on_event("failed")\nasync def note(self, job: int, error: int) -> None: ...',
            "shop/mail.py:5: Mail.note takes job, error. "
            "A hook takes the event alone: note(self, event: Failed)",
        ),
        (
            '@on_event("failed")\nasync def note(self, *, event: Failed[int]) -> None: ...',
            "shop/mail.py:5: Mail.note takes event. "
            "A hook takes the event alone: note(self, event: Failed)",
        ),
        (
            '@on_event("failed")\nasync def note(self):\n    yield 1',
            "shop/mail.py:5: Mail.note yields. Let a hook return nothing",
        ),
        (
            '@on_event("failed")\n@property\ndef note(self) -> None: ...',
            "shop/mail.py:5: @on_event cannot mark a property. "
            "Put it on a plain method of a processor class",
        ),
        (
            '@classmethod\n@on_event("failed")\ndef note(cls) -> None: ...',
            "shop/mail.py:5: Mail.note is no plain method. Write async def note(self, …)",
        ),
    ],
)
def test_a_hook_of_the_wrong_shape_is_told_how_to_mend_it(
    write: Write, body: str, text: str
) -> None:
    assert complaint(write, body) == text
