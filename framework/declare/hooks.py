"""``@on_event`` and ``@on_queue_event``: methods that hear what happens to jobs."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from framework.declare.methods import add_mark, is_async, marked_methods, refuse_generator
from framework.di.expression import UNIONS, bare, origin_of, spell, spell_name
from framework.di.place import where
from framework.di.signature import Parameter, signature_of
from framework.errors import ProcessorError
from framework.model.events import (
    WORKER_EVENTS,
    Active,
    Completed,
    Drained,
    Failed,
    Progressed,
    QueueEvent,
    Stalled,
    WorkerEventName,
)

HOOKS = "__framework_hooks__"
EVENT_CLASSES: dict[str, type] = {
    "active": Active,
    "completed": Completed,
    "failed": Failed,
    "progress": Progressed,
    "stalled": Stalled,
    "drained": Drained,
}

Heard = Literal["worker", "queue"]
Method = TypeVar("Method", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class HookSpec:
    """A method that hears one event.

    Attributes:
        scope: ``worker``: what this worker does. ``queue``: what anyone does.
        event: The event's name.
        attribute: The method's name.
        is_async: Whether it is an ``async def``.
        takes_event: Whether it takes the event; else it takes nothing.
        where: Where it is written.
    """

    scope: Heard
    event: str
    attribute: str
    is_async: bool
    takes_event: bool
    where: str


def on_event(event: WorkerEventName) -> Callable[[Method], Method]:
    """Declare that a method hears an event of this worker. May be stacked.

    What the method does or raises never changes the job.

    Args:
        event: ``active``, ``completed``, ``failed``, ``progress``, ``stalled``, ``drained``.

    Raises:
        ProcessorError: No such event, or not a plain method.
    """

    def note(method: Method) -> Method:
        if event not in WORKER_EVENTS:
            near = difflib.get_close_matches(str(event), WORKER_EVENTS, n=1)
            raise ProcessorError(
                f'@on_event("{event}"): workers have no such event',
                where=where(method),
                fix=f"{f'did you mean {near[0]}? ' if near else ''}known: "
                f"{', '.join(WORKER_EVENTS)}; for the queue's, write @on_queue_event",
            )
        add_mark("on_event", method, HOOKS, ("worker", event))
        return method

    return note


def on_queue_event(event: str) -> Callable[[Method], Method]:
    """Declare that a method hears an event of the whole queue, whoever caused it.

    May be stacked. Each process that runs the processor hears every event.

    Args:
        event: The stream event's name, such as ``completed``, ``added`` or ``paused``.

    Raises:
        ProcessorError: No name, or not a plain method.
    """

    def note(method: Method) -> Method:
        if not event:
            raise ProcessorError(
                f"@on_queue_event({event!r}): no event's name",
                where=where(method),
                fix='write one, as in @on_queue_event("completed")',
            )
        add_mark("on_queue_event", method, HOOKS, ("queue", event))
        return method

    return note


def hooks_of(cls: type) -> tuple[HookSpec, ...]:
    """Return a class's hooks, those of its bases first.

    Raises:
        ProcessorError: A hook that cannot be called with its event.
    """
    return tuple(
        hook_of(attribute, function, scope, event)
        for attribute, function, marks in marked_methods(cls, HOOKS)
        for scope, event in marks
    )


def hook_of(attribute: str, function: Callable[..., object], scope: Heard, event: str) -> HookSpec:
    """Return one hook, or refuse it."""
    refuse_generator(function, "let a hook return nothing")
    parameters = signature_of(function, skip=1, error=ProcessorError, lenient=True)
    taken = [one for one in parameters if one.is_required or one is parameters[0]]
    name, place = spell_name(function), where(function)
    if len(taken) > 1 or (taken and taken[0].kind == "keyword"):
        raise ProcessorError(
            f"{name} takes {', '.join(one.name for one in taken)}",
            where=place,
            fix=f"a hook takes the event alone: {attribute}(self, event: {class_of(scope, event)})",
        )
    if taken and not may_hear(taken[0], scope, event):
        raise ProcessorError(
            f'{name}({taken[0].name}: {spell(taken[0].wants)}) hears "{event}"',
            where=place,
            fix=f"annotate it as {class_of(scope, event)}",
        )
    return HookSpec(scope, event, attribute, is_async(function), bool(taken), place)


def class_of(scope: Heard, event: str) -> str:
    """Return the name of the class of an event."""
    return spell_name(QueueEvent if scope == "queue" else EVENT_CLASSES[event])


def may_hear(parameter: Parameter, scope: Heard, event: str) -> bool:
    """Tell whether a parameter's annotation allows the event."""
    sent = QueueEvent if scope == "queue" else EVENT_CLASSES[event]
    wanted = bare(parameter.wants)
    arms = get_args(wanted) if get_origin(wanted) in UNIONS else (wanted,)
    origins = [origin_of(arm) for arm in arms]
    return any(
        origin is Any or not isinstance(origin, type) or issubclass(sent, origin)
        for origin in origins
    )
