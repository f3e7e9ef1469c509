"""What systemd wants to hear from a service of ``Type=notify``."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Systemd:
    """Tells systemd how the service is.

    Args:
        environment: What it set: ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC``.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        # Twice as often as it must hear of us.
        self.watchdog_seconds = int(environment.get("WATCHDOG_USEC") or 0) / 2_000_000

    def tell(self, *words: str) -> None:
        """Send assignments such as ``READY=1``."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
            speaker.sendto("\n".join(words).encode(), self._address)
