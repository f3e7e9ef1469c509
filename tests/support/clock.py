"""A clock that stands until a test moves it."""

from datetime import datetime, timedelta

from framework.wire.millis import instant_to_ms, to_ms
from tests.support.builders import NOW


class StillClock:
    """Stands at `NOW` until it is moved."""

    def __init__(self, now_ms: int = NOW) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, span: timedelta) -> None:
        self._now_ms += to_ms(span)

    def set(self, instant: datetime) -> None:
        self._now_ms = instant_to_ms(instant)
