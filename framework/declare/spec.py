"""A processor as the worker sees it: its marks, handlers and hooks, all resolved and checked."""

from collections.abc import Callable
from dataclasses import dataclass, fields

from framework.declare.fit import variables_of
from framework.declare.handler import HandlerSpec, default_name, resolve_handler
from framework.declare.hooks import HookSpec, hooks_of
from framework.declare.mark import ProcessorMark, RunIn, mark_of
from framework.declare.methods import marked_methods, plain_method
from framework.declare.processor import HANDLES
from framework.di.expression import spell_name
from framework.di.place import place_of, where
from framework.di.signature import Request
from framework.errors import ProcessorError


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorSpec(ProcessorMark):
    """A processor, resolved: what `ProcessorMark` says, and what its hints do.

    Attributes:
        target: The class or function.
        runs: Where its jobs run; no longer open, as ``run_in`` may be.
        handlers: Those of `handles` first; the catch-all, if there is one, last.
        hooks: What its methods hear.
    """

    target: Callable[..., object]
    runs: RunIn
    handlers: tuple[HandlerSpec, ...]
    hooks: tuple[HookSpec, ...] = ()

    @property
    def title(self) -> str:
        """Its full name, such as ``shop.mail.Mail``."""
        return spell_name(self.target, full=True)

    @property
    def where(self) -> str:
        """Where it is written, such as ``shop/mail.py:7``."""
        return where(self.target)

    @property
    def is_class(self) -> bool:
        """Whether it is constructed before it runs; a function runs as it is."""
        return isinstance(self.target, type)

    def request(self) -> Request:
        """Return what its constructor asks the container for; nothing if it is a function."""
        if self.is_class:
            return Request.of(self.target)
        return Request((), self.title, place_of(self.target))

    def job_name(self, handler: HandlerSpec) -> str | None:
        """Return the name that jobs for a handler are added under; None if it has no route."""
        return default_name(handler, self)


def resolve(target: Callable[..., object], mark: ProcessorMark | None = None) -> ProcessorSpec:
    """Read the hints of a processor and check its shape. Call it once all modules are there.

    Args:
        target: The class or function.
        mark: What to take for its mark; its own unless given.

    Raises:
        ProcessorError: The shape is wrong; it names the place and the fix.
    """
    mark = mark or mark_of(target)
    if mark is None:
        raise ProcessorError(
            f"{spell_name(target, full=True)} is no processor",
            where=where(target),
            fix='put @processor("queue") on it',
        )
    check_importable(target, mark)
    handlers: tuple[HandlerSpec, ...]
    hooks: tuple[HookSpec, ...] = ()
    if isinstance(target, type):
        handlers = handlers_of(target, mark)
        hooks = hooks_of(target)
        check_names(handlers, mark)
    else:
        handlers = (resolve_handler(target, mark),)
    noted = {one.name: getattr(mark, one.name) for one in fields(mark)}
    runs: RunIn = mark.run_in or "loop"
    return ProcessorSpec(**noted, target=target, runs=runs, handlers=handlers, hooks=hooks)


def handlers_of(cls: type, mark: ProcessorMark) -> tuple[HandlerSpec, ...]:
    """Return the handlers of a class, the catch-all last.

    Raises:
        ProcessorError: There is none, or one has the wrong shape.
    """
    found = [
        resolve_handler(
            function,
            mark,
            name=name,
            attribute=attribute,
            variables=variables_of(cls, attribute),
        )
        for attribute, function, names in marked_methods(cls, HANDLES)
        for name in names
    ]
    if hasattr(cls, "process"):
        function = plain_method(cls, "process")
        if vars(function).get(HANDLES):
            raise ProcessorError(
                f"{spell_name(function)} has @handles, but takes every other name",
                where=where(function),
                fix="rename the method, or remove @handles",
            )
        found.append(
            resolve_handler(
                function, mark, attribute="process", variables=variables_of(cls, "process")
            )
        )
    if not found:
        raise ProcessorError(
            f"{spell_name(cls)} has nothing that runs a job",
            where=where(cls),
            fix="write async def process(self, job: Job[Reminder]), or methods with "
            '@handles("name")',
        )
    return tuple(found)


def check_names(handlers: tuple[HandlerSpec, ...], mark: ProcessorMark) -> None:
    """Refuse two handlers of one name; such jobs would reach only one of them.

    Raises:
        ProcessorError: It names both.
    """
    taken: dict[str, HandlerSpec] = {}
    for handler in handlers:
        name = default_name(handler, mark)
        if name is None:
            continue
        if name in taken:
            first = taken[name]
            raise ProcessorError(
                f'{first.title} ({first.where}) and {handler.title} both take jobs named "{name}"',
                where=handler.where,
                fix="give one of them another name"
                if handler.name
                else f'name those of {handler.title}: @processor("{mark.queue}", name=…)',
            )
        taken[name] = handler


def check_importable(target: Callable[..., object], mark: ProcessorMark) -> None:
    """Refuse what a child process could not import.

    Raises:
        ProcessorError: It is to run in a process, but is defined in a function, or in the
            program that was started.
    """
    if mark.run_in != "process":
        return
    if "<" in target.__qualname__:
        raise ProcessorError(
            f"{spell_name(target)} runs in a process, which cannot import it",
            where=where(target),
            fix="define it at module level",
        )
    if target.__module__ == "__main__":
        raise ProcessorError(
            f"{spell_name(target)} runs in a process, which cannot import the program that "
            "was started",
            where=where(target),
            fix="put it into a module of its own, and import that",
        )
