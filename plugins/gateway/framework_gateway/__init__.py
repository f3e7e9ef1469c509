"""The plugin `gateway`: queues for programs in any language, over WebSocket and HTTP.

Names are resolved when they are first used: the command line need not wait for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framework_gateway.auth import Channel as Channel
    from framework_gateway.auth import Token as Token
    from framework_gateway.client.delivered_job import DeliveredJob as DeliveredJob
    from framework_gateway.client.errors import GatewayAnswerError as GatewayAnswerError
    from framework_gateway.client.errors import GatewayConnectionError as GatewayConnectionError
    from framework_gateway.client.errors import GatewayError as GatewayError
    from framework_gateway.client.errors import GatewayRefusedError as GatewayRefusedError
    from framework_gateway.client.errors import GatewayTimeoutError as GatewayTimeoutError
    from framework_gateway.client.gateway_client import GatewayClient as GatewayClient
    from framework_gateway.client.remote_events import RemoteEvent as RemoteEvent
    from framework_gateway.client.remote_events import RemoteEvents as RemoteEvents
    from framework_gateway.client.remote_job import RemoteJob as RemoteJob
    from framework_gateway.client.remote_queue import RemoteQueue as RemoteQueue
    from framework_gateway.client.remote_worker import RemoteWorker as RemoteWorker
    from framework_gateway.gateway import Gateway as Gateway
    from framework_gateway.gateway import start_gateway as start_gateway
    from framework_gateway.settings import GatewaySettings as GatewaySettings

PLACES = {
    "auth": ("Channel", "Token"),
    "client.delivered_job": ("DeliveredJob",),
    "client.errors": (
        "GatewayAnswerError",
        "GatewayConnectionError",
        "GatewayError",
        "GatewayRefusedError",
        "GatewayTimeoutError",
    ),
    "client.gateway_client": ("GatewayClient",),
    "client.remote_events": ("RemoteEvent", "RemoteEvents"),
    "client.remote_job": ("RemoteJob",),
    "client.remote_queue": ("RemoteQueue",),
    "client.remote_worker": ("RemoteWorker",),
    "gateway": ("Gateway", "start_gateway"),
    "settings": ("GatewaySettings",),
}
PUBLIC = {name: place for place, names in PLACES.items() for name in names}
__all__ = sorted(PUBLIC)  # noqa: PLE0605 - a list of str, made from the table above


def __getattr__(name: str) -> object:
    if name not in PUBLIC:
        raise AttributeError(f"module 'framework_gateway' has no attribute {name!r}")
    value: object = getattr(import_module(f"framework_gateway.{PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
