"""Background jobs for Python: declared like NestJS, run like Celery, stored like BullMQ.

Names are resolved when they are first used, so that importing this is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framework.app.application import Application as Application
    from framework.app.builder import Builder as Builder
    from framework.app.logs import set_up_logs as set_up_logs
    from framework.app.plugins import Plugin as Plugin
    from framework.app.routes import Routes as Routes
    from framework.app.routes import Target as Target
    from framework.app.settings import Settings as Settings
    from framework.app.settings import load_settings as load_settings
    from framework.app.workers import RunningWorker as RunningWorker
    from framework.app.workers import Workers as Workers
    from framework.client.flow import Flow as Flow
    from framework.client.flow_producer import FlowProducer as FlowProducer
    from framework.client.held import HeldJob as HeldJob
    from framework.client.listener import JobListener as JobListener
    from framework.client.listener import Listener as Listener
    from framework.client.producer import Producer as Producer
    from framework.client.queue import Queue as Queue
    from framework.client.queues import Queues as Queues
    from framework.client.redis import Redis as Redis
    from framework.client.redis import StreamEntry as StreamEntry
    from framework.client.sync_flow_producer import SyncFlowProducer as SyncFlowProducer
    from framework.client.sync_producer import SyncProducer as SyncProducer
    from framework.declare.hooks import on_event as on_event
    from framework.declare.hooks import on_queue_event as on_queue_event
    from framework.declare.mark import Limiter as Limiter
    from framework.declare.processor import handles as handles
    from framework.declare.processor import processor as processor
    from framework.declare.route import Named as Named
    from framework.declare.route import Route as Route
    from framework.declare.route import route as route
    from framework.declare.schedule import Schedule as Schedule
    from framework.declare.schedule import cron as cron
    from framework.di.provider import provider as provider
    from framework.errors import ActiveJobsError as ActiveJobsError
    from framework.errors import DeclarationError as DeclarationError
    from framework.errors import DependencyError as DependencyError
    from framework.errors import FailedChildrenError as FailedChildrenError
    from framework.errors import FormatError as FormatError
    from framework.errors import FrameworkError as FrameworkError
    from framework.errors import HandlerError as HandlerError
    from framework.errors import JobCancelledError as JobCancelledError
    from framework.errors import JobFailedError as JobFailedError
    from framework.errors import JobLockedError as JobLockedError
    from framework.errors import JobNotFoundError as JobNotFoundError
    from framework.errors import JobQuarantinedError as JobQuarantinedError
    from framework.errors import JobTimeoutError as JobTimeoutError
    from framework.errors import KeyTypeError as KeyTypeError
    from framework.errors import LockLostError as LockLostError
    from framework.errors import OptionsError as OptionsError
    from framework.errors import OtherParentError as OtherParentError
    from framework.errors import ParentNotFoundError as ParentNotFoundError
    from framework.errors import PayloadError as PayloadError
    from framework.errors import PendingChildrenError as PendingChildrenError
    from framework.errors import PluginError as PluginError
    from framework.errors import ProcessCrashedError as ProcessCrashedError
    from framework.errors import ProcessStartError as ProcessStartError
    from framework.errors import RedisRefusedError as RedisRefusedError
    from framework.errors import RedisUnavailableError as RedisUnavailableError
    from framework.errors import ResultError as ResultError
    from framework.errors import ResultTimeoutError as ResultTimeoutError
    from framework.errors import RouteError as RouteError
    from framework.errors import RunExistsError as RunExistsError
    from framework.errors import ScheduleError as ScheduleError
    from framework.errors import SchedulerJobError as SchedulerJobError
    from framework.errors import SettingsError as SettingsError
    from framework.errors import SlotError as SlotError
    from framework.errors import StuckError as StuckError
    from framework.errors import TransitionError as TransitionError
    from framework.errors import UnrecoverableError as UnrecoverableError
    from framework.errors import WrongStateError as WrongStateError
    from framework.model.clock import Clock as Clock
    from framework.model.events import Active as Active
    from framework.model.events import Chunk as Chunk
    from framework.model.events import Completed as Completed
    from framework.model.events import Drained as Drained
    from framework.model.events import Failed as Failed
    from framework.model.events import Progressed as Progressed
    from framework.model.events import QueueEvent as QueueEvent
    from framework.model.events import Stalled as Stalled
    from framework.model.family import Dependencies as Dependencies
    from framework.model.family import DependencyPage as DependencyPage
    from framework.model.family import FlowAudit as FlowAudit
    from framework.model.family import FlowTree as FlowTree
    from framework.model.health import Health as Health
    from framework.model.health import QueueHealth as QueueHealth
    from framework.model.health import RedisHealth as RedisHealth
    from framework.model.job import ChildCounts as ChildCounts
    from framework.model.job import Effect as Effect
    from framework.model.job import Job as Job
    from framework.model.job import JobId as JobId
    from framework.model.job import JobLook as JobLook
    from framework.model.job import JobState as JobState
    from framework.model.metrics import Metrics as Metrics
    from framework.model.options import Custom as Custom
    from framework.model.options import Deduplication as Deduplication
    from framework.model.options import Exponential as Exponential
    from framework.model.options import Fixed as Fixed
    from framework.model.options import FlowOptions as FlowOptions
    from framework.model.options import JobOptions as JobOptions
    from framework.model.options import KeepJobs as KeepJobs
    from framework.model.options import ParentJob as ParentJob
    from framework.model.outcome import Parked as Parked
    from framework.model.schedule import Cron as Cron
    from framework.model.schedule import Every as Every
    from framework.model.schedule import JobScheduler as JobScheduler
    from framework.model.worker_info import WorkerInfo as WorkerInfo
    from framework.wire.job_json import data_json as data_json
    from framework.wire.job_json import job_json as job_json
    from framework.worker.context import Context as Context
    from framework.worker.sync_context import SyncContext as SyncContext

PLACES = {
    "app.application": ("Application",),
    "app.builder": ("Builder",),
    "app.logs": ("set_up_logs",),
    "app.plugins": ("Plugin",),
    "app.routes": ("Routes", "Target"),
    "app.settings": ("Settings", "load_settings"),
    "app.workers": ("RunningWorker", "Workers"),
    "client.flow": ("Flow",),
    "client.flow_producer": ("FlowProducer",),
    "client.held": ("HeldJob",),
    "client.listener": ("JobListener", "Listener"),
    "client.producer": ("Producer",),
    "client.queue": ("Queue",),
    "client.queues": ("Queues",),
    "client.redis": ("Redis", "StreamEntry"),
    "client.sync_flow_producer": ("SyncFlowProducer",),
    "client.sync_producer": ("SyncProducer",),
    "declare.hooks": ("on_event", "on_queue_event"),
    "declare.mark": ("Limiter",),
    "declare.processor": ("handles", "processor"),
    "declare.route": ("Named", "Route", "route"),
    "declare.schedule": ("Schedule", "cron"),
    "di.provider": ("provider",),
    "errors": (
        "ActiveJobsError",
        "DeclarationError",
        "DependencyError",
        "FailedChildrenError",
        "FormatError",
        "FrameworkError",
        "HandlerError",
        "JobCancelledError",
        "JobFailedError",
        "JobLockedError",
        "JobNotFoundError",
        "JobQuarantinedError",
        "JobTimeoutError",
        "KeyTypeError",
        "LockLostError",
        "OptionsError",
        "OtherParentError",
        "ParentNotFoundError",
        "PayloadError",
        "PendingChildrenError",
        "PluginError",
        "ProcessCrashedError",
        "ProcessStartError",
        "RedisRefusedError",
        "RedisUnavailableError",
        "ResultError",
        "ResultTimeoutError",
        "RouteError",
        "RunExistsError",
        "ScheduleError",
        "SchedulerJobError",
        "SettingsError",
        "SlotError",
        "StuckError",
        "TransitionError",
        "UnrecoverableError",
        "WrongStateError",
    ),
    "model.clock": ("Clock",),
    "model.events": (
        "Active",
        "Chunk",
        "Completed",
        "Drained",
        "Failed",
        "Progressed",
        "QueueEvent",
        "Stalled",
    ),
    "model.family": ("Dependencies", "DependencyPage", "FlowAudit", "FlowTree"),
    "model.health": ("Health", "QueueHealth", "RedisHealth"),
    "model.job": ("ChildCounts", "Effect", "Job", "JobId", "JobLook", "JobState"),
    "model.metrics": ("Metrics",),
    "model.options": (
        "Custom",
        "Deduplication",
        "Exponential",
        "Fixed",
        "FlowOptions",
        "JobOptions",
        "KeepJobs",
        "ParentJob",
    ),
    "model.schedule": ("Cron", "Every", "JobScheduler"),
    "model.outcome": ("Parked",),
    "wire.job_json": ("data_json", "job_json"),
    "worker.context": ("Context",),
    "worker.sync_context": ("SyncContext",),
    "model.worker_info": ("WorkerInfo",),
}
PUBLIC = {name: place for place, names in PLACES.items() for name in names}
__all__ = sorted(PUBLIC)  # noqa: PLE0605 - a list of str, made from the table above


def __getattr__(name: str) -> object:
    if name not in PUBLIC:
        raise AttributeError(f"module 'framework' has no attribute {name!r}")
    value: object = getattr(import_module(f"framework.{PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
