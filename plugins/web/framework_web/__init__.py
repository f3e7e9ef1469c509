"""The plugin `web`: tasks that are started from a page and watched live.

Names are resolved when they are first used: the command line need not wait for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framework_web.guard import Guard as Guard
    from framework_web.kinds import TaskType as TaskType
    from framework_web.kinds import task as task
    from framework_web.model import DeadLetter as DeadLetter
    from framework_web.model import Task as Task
    from framework_web.model import TaskId as TaskId
    from framework_web.progress import TaskProgress as TaskProgress
    from framework_web.states import TaskState as TaskState
    from framework_web.task_updates import TaskUpdate as TaskUpdate
    from framework_web.tasks import Tasks as Tasks
    from framework_web.tokens import WatchToken as WatchToken
    from framework_web.wish import Action as Action
    from framework_web.wish import Wish as Wish
    from framework_web.wish import wish_of as wish_of

PLACES = {
    "guard": ("Guard",),
    "kinds": ("TaskType", "task"),
    "model": ("DeadLetter", "Task", "TaskId"),
    "progress": ("TaskProgress",),
    "states": ("TaskState",),
    "tasks": ("Tasks",),
    "task_updates": ("TaskUpdate",),
    "tokens": ("WatchToken",),
    "wish": ("Action", "Wish", "wish_of"),
}
PUBLIC = {name: place for place, names in PLACES.items() for name in names}
__all__ = sorted(PUBLIC)  # noqa: PLE0605 - a list of str, made from the table above


def __getattr__(name: str) -> object:
    if name not in PUBLIC:
        raise AttributeError(f"module 'framework_web' has no attribute {name!r}")
    value: object = getattr(import_module(f"framework_web.{PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
