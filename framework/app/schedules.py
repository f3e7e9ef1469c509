"""From declared schedules to what workers see to."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from framework.app.discovery import Declarations
from framework.app.routes import Routes, Target
from framework.client.producer import Producer
from framework.declare.handler import HandlerSpec
from framework.declare.route import Route
from framework.declare.schedule import CRON, CronMark, Schedule, ScheduleSpec, plan_of
from framework.declare.spec import ProcessorSpec
from framework.errors import DeclarationError, PayloadError, ScheduleError
from framework.model.options import JobOptions
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from framework.wire.payload import codec_of
from framework.wire.scheduler_plan import OF_ONE_JOB
from framework.worker.schedules import ScheduleCare

# What a payload can be made of where nothing is given.
NOTHING = (b"{}", b"null")


def resolve_schedules(
    schedules: Sequence[Schedule[Any]], processors: Sequence[ProcessorSpec], routes: Routes
) -> tuple[ScheduleSpec, ...]:
    """Find the queue of each declared schedule.

    Raises:
        ScheduleError: No queue, no payload, or two of one id; it names the place and the fix.
    """
    found = [resolve_value(one, routes) for one in schedules]
    for processor in processors:
        found += resolve_marks(processor)
    taken: dict[tuple[str, str], ScheduleSpec] = {}
    for spec in found:
        first = taken.setdefault((spec.queue, spec.plan.id), spec)
        if first is not spec:
            raise ScheduleError(
                f'queue "{spec.queue}" has two schedules "{spec.plan.id}": one at {first.where}',
                where=spec.where,
                fix="give one of them another id",
            )
    return tuple(found)


def care_for(
    declarations: Declarations, specs: Sequence[ScheduleSpec], store: Store, prefix: str
) -> ScheduleCare:
    """Return what keeps the declared schedules of an application."""
    queues = dict.fromkeys(one.queue for one in declarations.processors)
    queues |= dict.fromkeys(one.queue for one in specs)
    declared = [
        (QueueKeys(prefix, queue), [spec for spec in specs if spec.queue == queue])
        for queue in queues
    ]
    return ScheduleCare(store, declarations.package, declared, declarations.is_whole)


def resolve_value(schedule: Schedule[Any], routes: Routes) -> ScheduleSpec:
    """Find the queue of a ``Schedule``."""
    target = target_of(schedule, routes)
    options = over(target.defaults, schedule.options)
    plan = schedule.plan(schedule.name or target.name, options)
    return ScheduleSpec(target.queue, plan, schedule.missed, schedule.where)


def target_of(schedule: Schedule[Any], routes: Routes) -> Target:
    """Return where the jobs of a ``Schedule`` go.

    Raises:
        ScheduleError: No queue takes them, or two do.
    """
    kind: Any = type(schedule.payload)
    wants: Any = Producer[kind]
    if schedule.queue is not None:
        wants = Annotated[wants, Route(schedule.queue, schedule.name)]
    try:
        return routes.find(wants, schedule.where)
    except DeclarationError as error:
        raise ScheduleError(
            f'the schedule "{schedule.id}": {error.what}',
            where=schedule.where,
            fix='say which queue: Schedule(..., queue="mail")',
        ) from error


def resolve_marks(processor: ProcessorSpec) -> Iterator[ScheduleSpec]:
    """Yield what ``@cron`` noted on a processor and its methods."""
    for mark in vars(processor.target).get(CRON, ()):
        yield resolve_mark(mark, processor, own_handlers(processor, ""))
    if not processor.is_class:
        return
    handling = dict.fromkeys(one.attribute for one in processor.handlers)
    for attribute in {**handling, **dict.fromkeys(dir(processor.target))}:
        method = inspect.getattr_static(processor.target, attribute)
        if not inspect.isfunction(method):
            continue
        for mark in vars(method).get(CRON, ()):
            if attribute not in handling:
                raise ScheduleError(
                    f"@cron on {processor.title}.{attribute}, which handles no jobs",
                    where=mark.where,
                    fix='put @handles("its-name") on it too',
                )
            yield resolve_mark(mark, processor, own_handlers(processor, attribute))


def own_handlers(processor: ProcessorSpec, attribute: str) -> list[HandlerSpec]:
    """Return the handlers that a mark means: of a method, or what takes every other name."""
    if attribute:
        return [one for one in processor.handlers if one.attribute == attribute]
    return [one for one in processor.handlers if one.name is None]


def resolve_mark(
    mark: CronMark, processor: ProcessorSpec, handlers: Sequence[HandlerSpec]
) -> ScheduleSpec:
    """Make a schedule of a mark.

    Raises:
        ScheduleError: It does not say which jobs, or their payload cannot be made of nothing.
    """
    if len(handlers) != 1:
        raise ScheduleError(
            f"@cron on {processor.title} does not say which of its jobs it means",
            where=mark.where,
            fix="put it on a method with one @handles, or declare Schedule(...)",
        )
    handler = handlers[0]
    name = processor.job_name(handler) or processor.queue
    options = over(processor.defaults, mark.options)
    data = made_of_nothing(handler, mark)
    times = {"overlap": mark.overlap}
    plan = plan_of(mark.id or name, mark.when, name, data, options, mark.where, times)
    return ScheduleSpec(processor.queue, plan, mark.missed, mark.where)


def made_of_nothing(handler: HandlerSpec, mark: CronMark) -> object:
    """Return a handler's payload made without arguments."""
    codec = codec_of(handler.payload)
    for text in NOTHING:
        try:
            return codec.decode(text)
        except PayloadError:
            continue
    raise ScheduleError(
        f"{handler.title} takes {codec.name}, which cannot be made without arguments",
        where=mark.where,
        fix=f"give its fields defaults, or declare Schedule(id, Cron(...), {codec.name}(...))",
    )


def over(defaults: JobOptions, options: JobOptions) -> JobOptions:
    """Return a schedule's options over those of its processor that a schedule can have."""
    merged = {name: value for name, value in defaults.items() if name not in OF_ONE_JOB}
    return JobOptions(**{**merged, **options})  # type: ignore[typeddict-item]  # the names are JobOptions' own
