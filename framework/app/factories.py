"""What the container makes by type: producers and queues, and what lets threads use them."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, Protocol, TypeVar, get_args, get_origin

from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal

from framework.app.routes import Routes
from framework.client.line import Line
from framework.client.producer import Producer
from framework.client.queue import Queue
from framework.declare.route import Named
from framework.di.graph import Factory
from framework.errors import DependencyError, PayloadError, RouteError
from framework.wire.payload import codec_of

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)
S = TypeVar("S")

Lines = Callable[[str], Line]


class RoutedFactory:
    """What makes producers knows these.

    Args:
        routes: Where payloads go.
        lines: Returns what adding to a queue needs.
    """

    def __init__(self, routes: Routes, lines: Lines) -> None:
        self._routes = routes
        self._lines = lines


class ProducerFactory(RoutedFactory):
    """Makes ``Producer[T, R]``."""

    def check(self, wants: object, asked_by: str) -> None:
        """Refuse a producer without a route, or of a type that pydantic cannot check."""
        target = self._routes.find(wants, asked_by)
        try:
            codec_of(target.payload)
            codec_of(target.result)
        except PayloadError as error:
            raise RouteError(str(error), where=asked_by) from error

    def build(self, wants: object) -> Producer[Any, Any]:
        """Build it."""
        target = self._routes.find(wants)
        return Producer(
            self._lines(target.queue), target.name, target.payload, target.result, target.defaults
        )


class MakesAsync(Factory, Protocol[A_co]):
    """Makes what is used with ``await``."""

    def build(self, wants: object) -> A_co:
        """Build it."""
        ...


class SyncFactory(Generic[A, S]):
    """Makes what code without an event loop uses, such as ``SyncProducer[T, R]``.

    Args:
        factory: Makes what is used with ``await``.
        wrap: Turns that into what is used without.
        portal: Returns the way into the application's loop.
    """

    def __init__(
        self,
        factory: MakesAsync[A],
        wrap: Callable[[A, BlockingPortal], S],
        portal: Callable[[], BlockingPortal],
    ) -> None:
        self._factory = factory
        self._wrap = wrap
        self._portal = portal

    def check(self, wants: object, asked_by: str) -> None:
        """Refuse what the factory refuses."""
        self._factory.check(wants, asked_by)

    def build(self, wants: object) -> S:
        """Build it."""
        return self._wrap(self._factory.build(wants), self._portal())


class BackgroundFactory:
    """Makes ``TaskGroup``: what the application runs in the background.

    Args:
        tasks: Returns it, once the application runs.
    """

    def __init__(self, tasks: Callable[[], TaskGroup]) -> None:
        self._tasks = tasks

    def check(self, wants: object, asked_by: str) -> None:
        """Refuse nothing."""

    def build(self, wants: object) -> TaskGroup:
        """Return it."""
        del wants
        return self._tasks()


class QueueFactory:
    """Makes ``Annotated[Queue, Named("mail")]``.

    Args:
        lines: Returns what adding to a queue needs.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def check(self, wants: object, asked_by: str) -> None:
        """Refuse a queue without a name."""
        if name_in(wants) is None:
            raise DependencyError(
                "Queue does not say which queue",
                where=asked_by,
                fix='write Annotated[Queue, Named("mail")]',
            )

    def build(self, wants: object) -> Queue:
        """Build it."""
        name = name_in(wants)
        if name is None:
            raise DependencyError("Queue does not say which queue")
        return Queue(self._lines(name))


def name_in(wants: object) -> str | None:
    """Return the name that ``Annotated[Queue, Named(...)]`` holds."""
    if get_origin(wants) is not Annotated:
        return None
    return next((note.queue for note in get_args(wants)[1:] if isinstance(note, Named)), None)
