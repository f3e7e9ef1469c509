"""What ties the children of ``framework dev`` to their parent and to its server."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIFELINE = "FRAMEWORK_LIFELINE"
SERVER = "FRAMEWORK_SERVER_DIR"


@contextmanager
def tied_to_parent() -> Iterator[None]:
    """Stop this process when its parent ends, however that ends; does nothing without one.

    A parent that is killed cannot keep the embedded server for jobs that still drain: so
    each child is a user of it too.
    """
    data_dir = os.environ.pop(SERVER, None)
    if os.environ.pop(LIFELINE, None) is None:
        yield
        return
    threading.Thread(target=wait_for_end, name="lifeline", daemon=True).start()
    if data_dir is None:
        yield
        return
    from framework.server import EmbeddedServer

    with EmbeddedServer(Path(data_dir)) as server:
        server.start()
        yield


def wait_for_end() -> None:
    """Wait until the parent is gone."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
