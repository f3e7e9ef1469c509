"""Which tasks there are: a name in the URL, and the queue, job name and payload behind it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter, ValidationError

from framework import JobOptions, Routes
from framework_web.problems import ProblemError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")


@dataclass(frozen=True)
class TaskType:
    """One kind of task.

    Attributes:
        name: As it stands in URLs.
        queue: The queue of its jobs.
        job_name: The name of its jobs.
        payload: The type of its data, as annotated.
        defaults: What its jobs are added with.
    """

    name: str
    queue: str
    job_name: str
    payload: object = Any
    defaults: JobOptions = field(default_factory=JobOptions)

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Checks and describes the payload."""
        kind: Any = self.payload
        return TypeAdapter(kind)

    def read(self, body: bytes) -> object:
        """Return the payload that a JSON text holds, as JSON can hold it.

        Raises:
            ProblemError: It is no JSON, or does not fit; each field is named.
        """
        try:
            value = self.adapter.validate_json(body)
        except ValidationError as error:
            raise unfit(error) from error
        return self.adapter.dump_python(value, mode="json", by_alias=True)


def unfit(error: ValidationError) -> ProblemError:
    """Say which fields are wrong, and how; not what they hold."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        return ProblemError(HTTPStatus.BAD_REQUEST, "The body is no JSON.")
    errors = [{"field": ".".join(map(str, one["loc"])), "message": one["msg"]} for one in found]
    where = ", ".join(dict.fromkeys(one["field"] or "the whole" for one in errors))
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"The body does not fit: {where}.", errors=errors
    )


class TaskTypes(Mapping[str, TaskType]):
    """All kinds of tasks, by their names.

    Args:
        types: They.
    """

    def __init__(self, types: Iterable[TaskType]) -> None:
        self._types = {one.name: one for one in types if NAME.fullmatch(one.name)}

    def __getitem__(self, name: str) -> TaskType:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def find(self, name: str) -> TaskType:
        """Return a kind of task.

        Raises:
            ProblemError: There is no such kind.
        """
        found = self._types.get(name)
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no such type of task.")
        return found

    def of_queue(self, queue: str) -> list[TaskType]:
        """Return what goes to one queue."""
        return [one for one in self._types.values() if one.queue == queue]

    @classmethod
    def of_routes(cls, routes: Routes) -> "TaskTypes":
        """Make one kind of each payload type that an application has a place for.

        It goes by its job's name; where several queues have jobs of one name, by both.
        """
        count = Counter(target.name for target in routes.targets)
        return cls(
            TaskType(
                target.name if count[target.name] == 1 else f"{target.queue}.{target.name}",
                target.queue,
                target.name,
                target.payload,
                target.defaults,
            )
            for target in routes.targets
        )
