"""Servers of other versions, where they are installed."""

from pathlib import Path

DEBIANS = Path("/usr/bin/redis-server")
OLD = Path(__file__).parents[2] / ".servers/redis-6.2/redis-server"
