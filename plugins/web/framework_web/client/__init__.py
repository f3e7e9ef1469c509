"""The other side of the wire: start tasks of the plugin `web` from a script or a test, and watch.

Needs the extra ``client``.
"""

from framework_web.client.errors import (
    TaskClientError,
    TaskFailedError,
    TaskRefusedError,
    TaskTimeoutError,
    TaskUnreachableError,
)
from framework_web.client.remote_task import Effect, RemoteTask
from framework_web.client.task_client import TaskClient
from framework_web.client.view import EventName, Status, TaskEvent, TaskView

__all__ = [
    "Effect",
    "EventName",
    "RemoteTask",
    "Status",
    "TaskClient",
    "TaskClientError",
    "TaskEvent",
    "TaskFailedError",
    "TaskRefusedError",
    "TaskTimeoutError",
    "TaskUnreachableError",
    "TaskView",
]
