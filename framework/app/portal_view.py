"""An application as a program without an event loop sees it."""

from importlib.util import find_spec
from typing import Any

from anyio.from_thread import BlockingPortal

from framework.di.container import Container


class SyncApplication:
    """Gives producers and providers to synchronous code; see `Application.sync`."""

    def __init__(self, container: Container, portal: BlockingPortal) -> None:
        self._container = container
        self._portal = portal

    def get(self, wants: Any) -> Any:  # noqa: ANN401 - what a type expression stands for
        """Return what a type stands for, such as ``SyncProducer[Reminder]``.

        Raises:
            DeclarationError: Nothing provides it.
        """
        return self._portal.call(self._container.get, wants)


def has_uvloop() -> bool:
    """Tell whether uvloop is there; loops of our own are then its."""
    return find_spec("uvloop") is not None
