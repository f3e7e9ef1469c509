"""Makes `FlowProducer`: where each payload of a tree goes."""

from typing import Any

from framework.app.factories import RoutedFactory
from framework.client.flow_producer import FlowProducer
from framework.client.flow_words import Place
from framework.client.producer import Producer
from framework.errors import RouteError
from framework.wire.payload import codec_of


class FlowProducerFactory(RoutedFactory):
    """Makes ``FlowProducer``."""

    def check(self, wants: object, asked_by: str) -> None:
        """Find nothing wrong: which payloads it takes is seen when they come."""

    def build(self, wants: object) -> FlowProducer:
        """Build it."""
        places: dict[type, Place] = {}

        def place_of(data: object) -> Place:
            kind = type(data)
            if kind not in places:
                places[kind] = self._find(kind)
            return places[kind]

        return FlowProducer(place_of, self._lines)

    def _find(self, kind: type[Any]) -> Place:
        try:
            target = self._routes.find(Producer[self._nearest(kind)])  # type: ignore[misc]  # built at run time
        except RouteError as error:
            error.add_note("or name its place: Flow.named(queue, name, data)")
            raise
        codecs = (codec_of(target.payload), codec_of(target.result))
        return Place(self._lines(target.queue), target.name, codecs, target.defaults)

    def _nearest(self, kind: type[Any]) -> type[Any]:
        """Return the class itself, or the nearest of its bases that has a route."""
        return next((base for base in kind.__mro__ if self._routes.takes(base)), kind)
