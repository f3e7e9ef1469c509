"""What adds to an application and to the command line: a package, and plugins. Light to import."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from framework.declare.hooks import HookSpec, hooks_of
from framework.di.expression import spell_name
from framework.di.place import is_definition, where
from framework.di.provider import ProviderSpec, resolve_provider
from framework.di.signature import Request, Scope
from framework.errors import DeclarationError

COMMAND = re.compile(r"[a-z][a-z0-9-]*")
PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
TARGET = re.compile(r"\w+(\.\w+)*:\w+")
APP = "app"


@dataclass(frozen=True, slots=True)
class Listener:
    """A class that hears the events of all workers."""

    kind: type
    hooks: tuple[HookSpec, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at when somebody asks how the process does."""

    name: str
    function: Callable[..., Any]

    @property
    def request(self) -> Request:
        """What it asks the container for."""
        return Request.of(self.function)


@dataclass(frozen=True, slots=True)
class Mounted:
    """An ASGI app below a path of the web app; ``target`` may be ``module:attribute``."""

    path: str
    target: Any
    by: str


@dataclass(frozen=True, slots=True)
class LazyProvider:
    """A provider whose module is imported when an application is made."""

    target: str
    scope: Scope
    eager: bool
    by: str


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command whose module is imported when it is called."""

    name: str
    target: str
    help: str
    by: str


class Builder:
    """What an application is made of, handed to the `setup` of each plugin.

    Attributes:
        by: The name of the plugin that adds now; empty for the package.
    """

    def __init__(self) -> None:
        self.by = ""
        self.providers: list[ProviderSpec] = []
        self.unread: list[LazyProvider] = []
        self.eager: list[tuple[str, object]] = []
        self.listeners: list[Listener] = []
        self.checks: list[Check] = []
        self.mounts: list[Mounted] = []
        self.commands: list[LazyCommand] = []
        self.settings: list[str] = []
        self.dev_settings: dict[str, str] = {}

    def provide(
        self, target: Callable[..., object] | str, *, scope: Scope = "app", eager: bool = False
    ) -> None:
        """Add a provider, a function, generator function or class, as `@provider` does.

        Args:
            target: The provider, or where it is: ``package.module:attribute``, imported once an
                application is made, so that the command line need not wait for it.
            scope: ``app``: one per process. ``job``: one per run.
            eager: Make it when the application opens. What works in the background asks for an
                ``anyio.abc.TaskGroup``: it gets the application's own.

        Raises:
            DeclarationError: It does not say what it provides, or is made for each job and eager.
        """
        if isinstance(target, str):
            check_target(target, "provide")
            self.unread.append(LazyProvider(target, scope, eager, self.by))
            return
        if not is_definition(target):
            raise DeclarationError(
                f"provide() cannot take a {type(target).__name__}",
                fix="hand it a function, a generator function or a class",
            )
        spec = ProviderSpec(target, scope)
        provides = resolve_provider(spec).provides
        if eager and scope != APP:
            raise DeclarationError(
                f"{spell_name(target)} is made for each job and cannot be made before",
                where=where(target),
                fix="leave eager out",
            )
        self.providers.append(spec)
        if eager:
            self.eager.append((self.by, provides))

    def listen(self, kind: type) -> None:
        """Add a class whose `@on_event` and `@on_queue_event` methods hear all workers here.

        It is provided too, made once when the application opens; its constructor is injected.

        Raises:
            DeclarationError: It has no such method, or one of the wrong shape.
        """
        hooks = hooks_of(kind)
        if not hooks:
            raise DeclarationError(
                f"listen({spell_name(kind)}): it hears nothing",
                fix='hand it a class with methods marked @on_event("completed"), say',
            )
        self.provide(kind, eager=True)
        self.listeners.append(Listener(kind, hooks))

    def check(self, name: str, function: Callable[..., Any]) -> None:
        """Add a health check: it returns None where all is well, else the problem in a clause.

        A problem makes the process not ready. One that raises, or takes longer than 3 s, has a
        problem too. Asked each second where a health port is set.

        Args:
            name: What it looks at; shown.
            function: Plain or ``async def``; its parameters are injected.

        Raises:
            DeclarationError: Another check has this name.
        """
        self._refuse_second("check", name, [one.name for one in self.checks])
        check = Check(name, function)
        _ = check.request
        self.checks.append(check)

    def mount(self, path: str, target: Any) -> None:  # noqa: ANN401 - any ASGI app
        """Add an ASGI app to the web app, below a path.

        Args:
            path: Such as ``/tasks``.
            target: The ASGI app, or where it is: ``package.module:attribute``, imported once a
                web app starts. Its own lifespan is not run.

        Raises:
            DeclarationError: A path of the wrong shape, or one that another plugin has.
        """
        if not PATH.fullmatch(path):
            raise DeclarationError(
                f'mount("{path}"): not the path of a mounted app', fix='write one as in "/tasks"'
            )
        self._refuse_second("path", path, [one.path for one in self.mounts])
        check_target(target, "mount")
        self.mounts.append(Mounted(path, target, self.by))

    def command(self, name: str, target: str, *, help: str) -> None:  # noqa: A002 - as in typer
        """Add a command to the command line.

        Args:
            name: Such as ``web``.
            target: Where it is, ``package.module:attribute``: a function that typer can run, or
                a ``typer.Typer``. Imported when the command is called.
            help: One line for the list of commands.

        Raises:
            DeclarationError: A name of the wrong shape, or one that another plugin has.
        """
        if not COMMAND.fullmatch(name):
            raise DeclarationError(
                f'command("{name}"): not the name of a command', fix="use a-z, digits and -"
            )
        self._refuse_second("command", name, [one.name for one in self.commands])
        if not isinstance(target, str):
            raise DeclarationError(
                f"command(…, {target!r}): its module would be imported each time",
                fix='say where it is, as in "shop_tools.cli:app"',
            )
        check_target(target, "command")
        self.commands.append(LazyCommand(name, target, help, self.by))

    def reads(self, prefix: str, *, dev: Mapping[str, str] | None = None) -> None:
        """Say which settings are the plugin's own, so that nobody takes them for misspelt ones.

        Args:
            prefix: What their names begin with, such as ``FRAMEWORK_WEB_``.
            dev: What ``framework dev`` sets of them, each where neither the environment nor
                ``.env`` does: what is right on a machine of one's own, and nowhere else.
        """
        self.settings.append(prefix)
        self.dev_settings |= dev or {}

    def _refuse_second(self, what: str, name: str, taken: list[str]) -> None:
        if name in taken:
            raise DeclarationError(
                f'the {what} "{name}" is there already', fix="choose another name"
            )

    def requests(self) -> list[Request]:
        """Return what the additions ask the container for, beside the providers."""
        return [one.request for one in self.checks]


def check_target(target: object, method: str) -> None:
    """Refuse a text that names no place.

    Raises:
        DeclarationError: It names none.
    """
    if isinstance(target, str) and not TARGET.fullmatch(target):
        raise DeclarationError(
            f'{method}(…, "{target}"): not the place of anything',
            fix='write it as in "shop_tools.web:app"',
        )
