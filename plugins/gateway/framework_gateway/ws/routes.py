"""The paths of the WebSocket channels: three spellings each."""

from framework_gateway.routing import SocketRoute

SPELLINGS = ("/queue/:queue", "/queues/:queue", "/ws/queues/:queue")
SOCKETS: tuple[SocketRoute, ...] = ()
