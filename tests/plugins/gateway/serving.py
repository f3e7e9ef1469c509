"""A gateway as a command of its own."""

import os
import sys
from pathlib import Path

from tests.support.plugins import write_plugin
from tests.support.servers import free_port

KEY = "k3y"
SOURCES = Path(__file__).parents[3] / "plugins" / "gateway"


def environment_of(redis_url: str, prefix: str, folder: Path) -> dict[str, str]:
    """Return what a command sees: the plugin installed, and a key."""
    value = "framework_gateway.plugin:plugin"
    site = write_plugin(folder / "site", "gateway", {}, value=value)
    return {
        "PYTHONPATH": os.pathsep.join([str(site), str(SOURCES), *sys.path]),
        "REDIS_URL": redis_url,
        "QUEUE_PREFIX": prefix,
        "AUTH_TOKENS": f"{KEY}, other",
        "PORT": str(free_port()),
        "FRAMEWORK_LOG_FORMAT": "json",
    }
