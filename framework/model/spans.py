"""Times and dates that a caller gives; without a type checker that may be anything."""

from datetime import datetime, timedelta

from framework.errors import OptionsError


def check_span(option: str, span: object, what: str = "it") -> None:
    """Refuse what is no ``timedelta``; BullMQ's numbers are milliseconds.

    Raises:
        OptionsError: It names the option and what to write.
    """
    if not isinstance(span, timedelta):
        is_number = isinstance(span, int | float) and not isinstance(span, bool)
        fix = f"timedelta(milliseconds={span})" if is_number else "timedelta(seconds=5)"
        raise OptionsError(option, f"{what} is a timedelta, got {span!r}. Write {fix}, say")


def check_instant(option: str, instant: object) -> None:
    """Refuse what is no aware ``datetime``: a naive one depends on the machine.

    Raises:
        OptionsError: It names the option and what to write.
    """
    if not isinstance(instant, datetime):
        raise OptionsError(
            option, f"it is a datetime, got {instant!r}. Write datetime.now(UTC), say"
        )
    if instant.tzinfo is None:
        raise OptionsError(option, f"{instant} has no time zone; use datetime.now(UTC), say")
