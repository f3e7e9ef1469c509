"""What a task may be started with: its payload, as the processor declares it."""

from functools import cached_property
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from framework import Routes
from framework_web.kinds import TaskType
from framework_web.problems import ProblemError

# Pydantic reads them, though JSON has no words for them.
NO_NUMBERS = (b"NaN", b"Infinity")


class Payload:
    """The payload of one type of tasks.

    Args:
        type: As annotated; ``Any`` where nobody says.
    """

    def __init__(self, type: object) -> None:
        self._type: Any = type

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Checks and describes it."""
        return TypeAdapter(self._type)

    def read(self, body: bytes) -> object:
        """Return the payload that a JSON text holds, as JSON can hold it.

        Raises:
            ProblemError: It is no JSON, or does not fit; each field is named.
        """
        try:
            if any(word in body for word in NO_NUMBERS):
                from_json(body, allow_inf_nan=False)
            value = self.adapter.validate_json(body)
        except ValidationError as error:
            raise unfit(error) from error
        except ValueError as error:
            raise no_json() from error
        return self.adapter.dump_python(value, mode="json", by_alias=True)


def unfit(error: ValidationError) -> ProblemError:
    """Say which fields are wrong, and how; not what they hold."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        return no_json()
    errors = [{"field": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in found]
    where = ", ".join(dict.fromkeys(one["field"] or "the whole" for one in errors))
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"The body does not fit: {where}.", errors=errors
    )


def no_json() -> ProblemError:
    """Say that a body cannot be read."""
    return ProblemError(HTTPStatus.BAD_REQUEST, "The body is no JSON.")


class Payloads:
    """The payloads of all types of tasks.

    Args:
        routes: Knows what processors take.
    """

    def __init__(self, routes: Routes) -> None:
        self._known = {(one.queue, one.name): Payload(one.payload) for one in routes.targets}
        self._any = Payload(Any)

    def of(self, kind: TaskType) -> Payload:
        """Return the payload of a type; anything where that was registered at run time."""
        return self._known.get((kind.queue, kind.name), self._any)
