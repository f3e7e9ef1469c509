"""From a payload type to the queue and name of its jobs; checked at start."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin

from framework.declare.fit import fits
from framework.declare.names import job_name_of
from framework.declare.route import Route, RouteSpec
from framework.declare.spec import ProcessorSpec
from framework.di.expression import origin_of, spell, spell_name
from framework.errors import RouteError
from framework.model.options import JobOptions


@dataclass(frozen=True, slots=True)
class Target:
    """Where the jobs of one payload type go.

    Attributes:
        queue: The queue's name.
        name: The jobs' name.
        payload: The payload's type expression.
        result: What their processor returns; ``object`` where nobody says.
        defaults: The processor's.
        where: Where it is declared.
    """

    queue: str
    name: str
    payload: object
    result: object = object
    defaults: JobOptions = field(default_factory=JobOptions)
    where: str = ""


class Routes:
    """All routes of an application. Ask for it by its type.

    Args:
        processors: Each handler of a typed payload makes a route.
        elsewhere: Routes to queues that other programs serve.
    """

    def __init__(
        self, processors: Sequence[ProcessorSpec], elsewhere: Sequence[RouteSpec] = ()
    ) -> None:
        self._targets: list[Target] = []
        self._defaults = {one.queue: one.defaults for one in processors}
        for processor in processors:
            for handler in processor.handlers:
                name = processor.job_name(handler)
                if name is not None and handler.is_typed:
                    self._targets.append(
                        Target(
                            processor.queue,
                            name,
                            handler.payload,
                            handler.result,
                            processor.defaults,
                            handler.where,
                        )
                    )
        self._targets += [
            Target(one.queue, one.name, one.payload, where=one.where) for one in elsewhere
        ]

    def find(self, wants: object, asked_by: str = "") -> Target:
        """Return where a ``Producer[T]`` or ``Producer[T, R]`` puts its jobs.

        Args:
            wants: The type expression, ``Annotated`` kept.
            asked_by: Who asks, for errors.

        Raises:
            RouteError: No route, two, or a result that contradicts the processor's.
        """
        expression, marker = wants, None
        if get_origin(wants) is Annotated:
            expression, *notes = get_args(wants)
            marker = next((note for note in notes if isinstance(note, Route)), None)
        payload, result = payload_and_result(expression, asked_by)
        target = self._marked(payload, marker) if marker else self._only(payload, wants, asked_by)
        says = target.result is not object
        if says and result is not object and not fits(target.result, result):
            raise RouteError(
                f"{spell(expression)} awaits {spell(result)}, but the processor of queue "
                f'"{target.queue}" ({target.where}) returns {spell(target.result)}',
                where=asked_by,
                fix=f"write {spell_name(origin_of(expression))}"
                f"[{spell(payload)}, {spell(target.result)}]",
            )
        known = target.result if result is object else result
        return Target(target.queue, target.name, payload, known, target.defaults, target.where)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Where the jobs of each payload type go: of all processors, then of all `route`."""
        return tuple(self._targets)

    def takes(self, payload: object) -> bool:
        """Tell whether any route is for just this type."""
        return any(one.payload == payload for one in self._targets)

    def _marked(self, payload: object, marker: Route) -> Target:
        here = [one for one in self._targets if one.queue == marker.queue]
        same = [one for one in here if one.payload == payload]
        if marker.name is not None:
            same = [one for one in same if one.name == marker.name]
        if len(same) == 1:
            return same[0]
        name = marker.name or job_name_of(payload)
        return Target(
            marker.queue, name, payload, defaults=self._defaults.get(marker.queue, JobOptions())
        )

    def _only(self, payload: object, wants: object, asked_by: str) -> Target:
        same = [one for one in self._targets if one.payload == payload]
        if len(same) == 1:
            return same[0]
        if same:
            places = ", ".join(f'"{one.queue}" ({one.where})' for one in same)
            raise RouteError(
                f"{spell(wants)}: {len(same)} queues take {spell(payload)}: {places}",
                where=asked_by,
                fix=f'choose one: Annotated[Producer[{spell(payload)}], Route("{same[0].queue}")]',
            )
        raise RouteError(
            f"{spell(wants)}: no queue takes {spell(payload)}{self._near(payload)}",
            where=asked_by,
            fix=f"write a processor with process(self, job: Job[{spell(payload)}]), or, for a "
            "queue that is served elsewhere, this at module level: elsewhere = "
            f'route("queue", {spell(payload)})',
        )

    def _near(self, payload: object) -> str:
        known = sorted({spell(one.payload) for one in self._targets})
        near = difflib.get_close_matches(spell(payload), known, n=1)
        if near:
            return f"; did you mean {near[0]}?"
        return f"; known: {', '.join(known)}" if known else ""


def payload_and_result(expression: object, asked_by: str) -> tuple[object, object]:
    """Return ``T`` and ``R`` of a producer's type expression."""
    arguments = get_args(expression)
    if not arguments or arguments[0] is Any:
        raise RouteError(
            f"{spell(expression)} does not say which jobs it adds",
            where=asked_by,
            fix="name the payload, as in Producer[Reminder]; to add by name, ask for "
            'Annotated[Queue, Named("mail")]',
        )
    return arguments[0], arguments[1] if len(arguments) > 1 else object
