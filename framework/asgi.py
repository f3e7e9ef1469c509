"""An application inside a FastAPI or Starlette app: its producers and queues, and its workers."""

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from types import FunctionType, ModuleType
from typing import Any, Generic, TypeVar, get_args, overload

import anyio
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from framework.app.application import Application
from framework.app.mounts import mounted
from framework.app.settings import Settings
from framework.di.expression import spell
from framework.di.place import caller
from framework.di.signature import Parameter, Request
from framework.errors import DependencyError

T = TypeVar("T")
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[Mapping[str, Application]]]

STATE = "framework"


def lifespan(package: str, *, settings: Settings | None = None, work: bool = False) -> Lifespan:
    """Return a lifespan that keeps an `Application` for as long as the web app runs.

    Write ``FastAPI(lifespan=lifespan("shop"))``; endpoints get at its parts with `inject`, or
    at the application itself as ``request.state.framework``. A lifespan of your own enters it
    and yields what it yields: ``async with lifespan("shop")(app) as state: yield state``.

    What plugins mount is served too, where no route of the app's own takes the path.

    Starting it does not touch Redis, unless it works. It raises as `Application` does, and for
    each `inject` in the package that cannot be met.

    Args:
        package: The package to discover.
        settings: Read from the environment unless given.
        work: Run the package's workers in the web app's process, for small ones. They start before
            the first request; once the web app stops they drain for ``shutdown_timeout`` and give
            the rest back.
    """

    @asynccontextmanager
    async def run(app: Starlette) -> AsyncIterator[Mapping[str, Application]]:
        application = Application(package, settings=settings)
        modules = (sys.modules[name] for name in application.declarations.modules)
        application.container.check(one.request for one in injections_in(modules))
        with mounted(app, application.builder.mounts):
            async with application, working(application) if work else nullcontext():
                yield {STATE: application}

    return run


def plugin_app(package: str, *, settings: Settings | None = None) -> Starlette:
    """Return a web app of nothing but what plugins mount, for packages without one of their own.

    Args:
        package: The package to discover.
        settings: Read from the environment unless given.
    """
    return Starlette(lifespan=lifespan(package, settings=settings))


@asynccontextmanager
async def working(application: Application) -> AsyncIterator[None]:
    """Run the workers of an open application; at the end let running jobs end."""
    try:
        async with anyio.create_task_group() as tasks:
            await tasks.start(application.work)
            yield
            application.stop()
    except BaseExceptionGroup as group:
        # What one web app's start raises is one error, not a group of one.
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None
        raise


class Injection(Generic[T]):
    """What `inject` returns: a dependency that FastAPI calls for each request.

    Args:
        wants: The type expression.
        where: Where it is written.
    """

    def __init__(self, wants: Any, where: str) -> None:  # noqa: ANN401 - any type expression
        self.wants = wants
        self.where = where

    async def __call__(self, connection: HTTPConnection) -> T:
        """Return what the type stands for in the application of the web app that was asked.

        Raises:
            DependencyError: The app has no `lifespan` of ours, or it was not started.
        """
        application: Application | None = getattr(connection.state, STATE, None)
        if application is None:
            raise DependencyError(
                f"inject({spell(self.wants)}) found no application",
                where=self.where,
                fix='give the app a lifespan, as in FastAPI(lifespan=lifespan("shop")), and in '
                "tests start it: with TestClient(api) as client",
            )
        value: T = await application.get(self.wants)
        return value

    @property
    def request(self) -> Request:
        """What it asks the container for."""
        return Request((Parameter("", self.wants),), f"inject({spell(self.wants)})", self.where)


@overload
def inject(wants: type[T]) -> Injection[T]: ...
@overload
def inject(wants: Any) -> Injection[Any]: ...  # noqa: ANN401 - Annotated[...] is no type to a checker
def inject(wants: Any) -> Injection[Any]:
    """Return a dependency for FastAPI that hands an endpoint what a type stands for.

    Write ``Annotated[Producer[Reminder], Depends(inject(Producer[Reminder]))]``. In Starlette,
    call it: ``await inject(Producer[Reminder])(request)``.

    Args:
        wants: Whatever the package's container knows: ``Producer[Reminder]``, a provided class,
            ``Annotated[Queue, Named("mail")]``, ``Settings``; in a plain ``def`` endpoint
            ``SyncProducer[Reminder]``.
    """
    return Injection(wants, caller())


def injections_in(modules: Iterable[ModuleType]) -> Iterator[Injection[Any]]:
    """Yield what the functions and ``Annotated`` aliases of modules inject."""
    for module in modules:
        for value in vars(module).values():
            for note in notes_of(value):
                dependency = getattr(note, "dependency", None)
                if isinstance(dependency, Injection):
                    yield dependency


def notes_of(value: object) -> Iterator[object]:
    """Yield what stands beside the types in an ``Annotated`` alias or a function's signature."""
    if isinstance(value, FunctionType):
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        for hint in value.__annotations__.values():
            yield from notes_of(hint)
    elif hasattr(value, "__metadata__"):
        yield from get_args(value)[1:]
