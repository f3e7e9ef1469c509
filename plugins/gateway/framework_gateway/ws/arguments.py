"""Arguments of a function that a client calls, taken one by one."""

from collections.abc import Sequence
from typing import Any

from framework_gateway.errors import bad_request
from framework_gateway.option_check import MAX_INT
from framework_gateway.shown import demand, demand_whole, refuse_unknown, unexpected

MISSING: Any = object()


class Arguments:
    """What a client sent as ``args``.

    Each method takes the next one, and raises `AnswerError` 400 where it is missing or of the
    wrong type; ``default`` stands for one that is not there, or null.
    """

    def __init__(self, sent: Sequence[Any]) -> None:
        self._sent = list(sent)
        self._taken = 0

    def any(self, name: str, default: Any = MISSING) -> Any:  # noqa: ANN401 - out of JSON
        """Take one of any type; null too."""
        if self._taken < len(self._sent):
            self._taken += 1
            return self._sent[self._taken - 1]
        if default is MISSING:
            raise bad_request(f"{name} is required")
        return default

    def text(self, name: str, default: Any = MISSING) -> str:  # noqa: ANN401 - text, or none
        """Take a string."""
        value = self._given(name, default)
        if value is not default:
            demand(name, value, str, "a string")
        text: str = value
        return text

    def flag(self, name: str, *, default: bool) -> bool:
        """Take a boolean."""
        value = self._given(name, default)
        demand(name, value, bool, "a boolean")
        flag: bool = value
        return flag

    def whole(self, name: str, default: Any = MISSING, least: int = 0, most: int = MAX_INT) -> int:  # noqa: ANN401 - a number, or none
        """Take a whole number."""
        value = self._given(name, default)
        return value if value is default else demand_whole(name, value, least, most)

    def object(self, name: str, *members: str) -> dict[str, Any]:
        """Take an object with no other members than these; {} where it is not there."""
        value = self._given(name, None)
        if value is None:
            return {}
        demand(name, value, dict, "an object")
        refuse_unknown(value, members, unexpected(f"{name}."))
        found: dict[str, Any] = value
        return found

    def rest(self) -> list[Any]:
        """Take all that are left."""
        left = self._sent[self._taken :]
        self._taken = len(self._sent)
        return left

    def end(self) -> None:
        """Refuse more than were taken."""
        if self._taken < len(self._sent):
            raise bad_request(f"at most {self._taken} arguments, got {len(self._sent)}")

    def _given(self, name: str, default: Any) -> Any:  # noqa: ANN401 - out of JSON
        value = self.any(name, default)
        return default if value is None and default is not MISSING else value
