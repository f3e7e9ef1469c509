"""A child of ``framework dev`` ends when its parent does, however that ends."""

import os
import signal
import threading

LIFELINE = "FRAMEWORK_LIFELINE"


def watch_lifeline() -> None:
    """Stop this process once its standard input ends, if a parent holds it open."""
    if os.environ.pop(LIFELINE, None):
        threading.Thread(target=wait_for_end, name="lifeline", daemon=True).start()


def wait_for_end() -> None:
    """Wait until the parent is gone."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
