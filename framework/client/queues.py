"""Any queue by a name that is known only at run time."""

from collections.abc import Callable

from framework.client.line import Line
from framework.client.queue import Queue
from framework.errors import OptionsError
from framework.wire.keys import is_text


class Queues:
    """All queues, by their names. Ask for it by its type.

    Where the name is known beforehand, ask for ``Annotated[Queue, Named("mail")]``.
    """

    def __init__(
        self,
        lines: Callable[[str, str | None], Line],
        drop: Callable[[str, str | None], None],
    ) -> None:
        self._lines = lines
        self._drop = drop

    def get(self, name: str, *, prefix: str | None = None) -> Queue:
        """Return a queue; all share the connections of the process. It need not be there yet.

        Args:
            name: The queue's name. Not empty, no ``:``.
            prefix: What its keys begin with; as the setting ``prefix`` says unless given.

        Raises:
            OptionsError: What no queue can be called.
        """
        for option, text in (("name", name), ("prefix", prefix)):
            if text is not None and not is_text(text):
                raise OptionsError(option, f"it is text that is not empty, got {text!r}")
        if ":" in name:
            raise OptionsError("name", f"a queue's name has no ':', got {name!r}")
        return Queue(self._lines(name, prefix))

    def drop(self, name: str, *, prefix: str | None = None) -> None:
        """Keep a queue no longer that `get` has returned; who uses it now goes on.

        What is kept of a queue is little. A process whose users name any number of queues drops
        those that are used no more.

        Args:
            name: The queue's name.
            prefix: As of `get`.
        """
        self._drop(name, prefix)
