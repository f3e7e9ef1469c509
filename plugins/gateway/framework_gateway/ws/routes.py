"""The paths of the WebSocket channels: three spellings each."""

from framework_gateway.auth import Channel
from framework_gateway.routing import SocketRoute
from framework_gateway.ws.events_channel import open_events_channel
from framework_gateway.ws.queue_channel import open_queue_channel
from framework_gateway.ws.worker_channel import open_worker_channel

SPELLINGS = ("/queue/:queue", "/queues/:queue", "/ws/queues/:queue")
SOCKETS: tuple[SocketRoute, ...] = tuple(
    route
    for path in SPELLINGS
    for route in (
        SocketRoute(path, open_queue_channel, Channel.QUEUE),
        SocketRoute(f"{path}/events", open_events_channel, Channel.EVENTS),
        SocketRoute(f"{path}/process/:concurrency", open_worker_channel, Channel.WORKER),
    )
)
