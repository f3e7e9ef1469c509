"""Finds the type of a task: said with its id, or sought in all queues."""

from framework import JobNotFoundError, OptionsError, Queues
from framework_web.kinds import TaskType
from framework_web.model import TaskId
from framework_web.registry import Registry


class Finder:
    """Finds the type of a task.

    Args:
        registry: All types.
        queues: Where tasks are sought.
    """

    def __init__(self, registry: Registry, queues: Queues) -> None:
        self._registry = registry
        self._queues = queues

    def said(self, id: str, type: str | None) -> TaskType | None:
        """Return the type that was said, beside the id or with it; None if none was.

        Raises:
            OptionsError: There is no such type.
        """
        name = id.type if type is None and isinstance(id, TaskId) else type
        return None if name is None else self._registry.named(name)

    async def find(self, id: str, type: str | None) -> TaskType:
        """Return the type that was said, else the one that has a task of this id.

        Raises:
            JobNotFoundError: No type was said, and there is no such task.
            OptionsError: There is no such type, or tasks of several types have this id.
        """
        said = self.said(id, type)
        if said is not None:
            return said
        types = self._registry.types
        found = [one for one in types if await self._queues.get(one.queue).job(id) is not None]
        if len(found) > 1:
            names = ", ".join(kind.name for kind in found)
            raise OptionsError("type", f"tasks of several types have the id {id!r}: {names}")
        if not found:
            raise JobNotFoundError(job_id=id, queue=", ".join(one.queue for one in types))
        return found[0]
