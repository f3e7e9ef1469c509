"""What a client knows of a task, and what each event of its stream changes in that."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Literal, get_args

from pydantic import TypeAdapter
from typing_extensions import TypeVar

R = TypeVar("R", default=Any)

Status = Literal["waiting", "active", "paused", "retrying", "completed", "failed"]
EventName = Literal["snapshot", "state", "progress", "log", "chunk", "completed", "failed"]
NAMES: dict[str, EventName] = {name: name for name in get_args(EventName)}
FINAL = frozenset({"completed", "failed"})


@dataclass(frozen=True, slots=True)
class TaskView(Generic[R]):
    """What is known of a task.

    Attributes:
        id: Its id.
        type: Its type.
        status: Where it stands; ``retrying``: an attempt failed, another one follows.
        progress: What it told last: a number, an object with ``percentage``, or whatever else.
        result: What it returned; None before.
        error: Why it failed, or, while it is ``retrying``, why its last attempt did; None else.
        attempts_made: How many attempts have ended.
        due_at: When a delayed one, or the next attempt, is due.
        added_at: When it was added.
        started_at: When its last attempt began.
        finished_at: When it ended.
    """

    id: str
    type: str
    status: Status
    progress: Any = None
    result: R | None = None
    error: str | None = None
    attempts_made: int = 0
    due_at: datetime | None = None
    added_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def percentage(self) -> float | None:
        """How far it is, whichever way it tells."""
        told = self.progress
        number = told.get("percentage") if isinstance(told, Mapping) else told
        return number if isinstance(number, int | float) else None

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class TaskEvent(Generic[R]):
    """Something that happened to a task.

    Attributes:
        name: What.
        data: What the server told of it: of a ``log`` ``{"row": str}``, of a ``chunk``
            ``{"index": int, "data": ...}``.
        view: What is known of the task now.
    """

    name: EventName
    data: Any
    view: TaskView[R]


def view_of(told: Mapping[str, Any], result: TypeAdapter[R]) -> TaskView[R]:
    """Read a snapshot."""
    status: Status = told["state"]
    return TaskView(
        id=told["id"],
        type=told["type"],
        status=status,
        progress=told["progress"],
        result=result.validate_python(told["result"]) if status == "completed" else None,
        error=told["error"],
        attempts_made=told["attempts_made"] or 0,
        due_at=time_of(told["due_at"]),
        added_at=time_of(told["added_at"]),
        started_at=time_of(told["started_at"]),
        finished_at=time_of(told["finished_at"]),
    )


def changed(view: TaskView[R], name: str, told: Any, result: TypeAdapter[R]) -> TaskView[R]:  # noqa: ANN401 - JSON
    """Return what is known after an event."""
    match name:
        case "state" if (
            told["state"] not in FINAL
        ):  # what it ended with comes as an event of its own
            return replace(
                view,
                status=told["state"],
                error=told.get("error"),
                attempts_made=told["attempts_made"],
                due_at=time_of(told["due_at"]),
            )
        case "progress":
            return replace(view, progress=told)
        case "completed":
            value = result.validate_python(told["result"])
            return replace(view, status="completed", result=value, error=None, due_at=None)
        case "failed":
            made = told["attempts_made"]
            return replace(
                view, status="failed", error=told["error"], attempts_made=made, due_at=None
            )
        case _:
            return view


def time_of(text: str | None) -> datetime | None:
    """Read an instant."""
    return None if text is None else datetime.fromisoformat(text)
