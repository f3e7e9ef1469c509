"""The fixtures of this folder."""

from tests.support.redis_server import private_server

__all__ = ["private_server"]
