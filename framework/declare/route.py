"""Values that say where jobs go, when their payload's processor does not."""

from dataclasses import dataclass, field

from framework.declare.names import check_name, check_queue, job_name_of
from framework.di.place import caller
from framework.errors import RouteError


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """Jobs with such a payload go to this queue, which another program serves.

    Attributes:
        queue: The queue's name.
        payload: The payload's type expression.
        name: The job's name.
        where: Where it is written.
    """

    queue: str
    payload: object
    name: str
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Route:
    """In ``Annotated[Producer[T], Route("mail")]``: which of several queues is meant.

    Attributes:
        queue: The queue's name.
        name: The job's name; what the queue's processor or the payload's class says if None.
    """

    queue: str
    name: str | None = None

    def __post_init__(self) -> None:
        check_queue(self.queue, where="", error=RouteError)
        if self.name is not None:
            check_name(self.name, where="", error=RouteError)


@dataclass(frozen=True, slots=True)
class Named:
    """In ``Annotated[Queue, Named("mail")]``: which queue is meant.

    Attributes:
        queue: The queue's name.
    """

    queue: str

    def __post_init__(self) -> None:
        check_queue(self.queue, where="", error=RouteError)


def route(queue: str, payload: object, *, name: str | None = None) -> RouteSpec:
    """Declare, at module level, that a queue served elsewhere takes such payloads.

    What it returns is bound to a name there, or stands in a list, tuple, set or dict that is.

    Args:
        queue: The queue's name.
        payload: The payload's type, such as ``Invoice``.
        name: The job's name; the payload's class in kebab case unless set.

    Raises:
        RouteError: A name that no queue or job can have.
    """
    where = caller()
    check_queue(queue, where=where, error=RouteError)
    if name is None:
        name = job_name_of(payload)
    check_name(name, where=where, error=RouteError)
    return RouteSpec(queue, payload, name, where)
