"""Between values and their JSON text, through one cached pydantic adapter a type."""

import math
import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import (
    PydanticSerializationError,
    SchemaSerializer,
    core_schema,
    to_json,
)

from framework.errors import PayloadError
from framework.wire.plain_schema import is_plain

T = TypeVar("T")

NULL = b"null"
RAISED: Literal["error"] = "error"
MAX_PROBLEMS = 5
# So many values are written at once to see whether any is odd. Few: each is in memory twice.
TOGETHER = 50
UNWRITABLE = (PydanticSerializationError, RecursionError, ValueError)
# What pydantic shows of a value, which may be secret.
VALUES = re.compile(r", input_value=.*?(?=, input_type=)")


class Codec(Generic[T]):
    """Writes and reads values of one type.

    Args:
        kind: The type, as annotated: a class, ``list[int]``, ``Any`` …
    """

    __slots__ = ("_adapter", "_check", "_dump", "_dump_all", "_load", "_model", "_warnings", "name")

    def __init__(self, kind: object) -> None:
        form: Any = Any if kind is object else kind
        self._adapter: TypeAdapter[T] = TypeAdapter(form)
        # The adapter's own methods cost more than these, on the way of every job.
        self._check = self._adapter.validator.validate_python
        self._dump = self._adapter.serializer.to_json
        self._dump_all: SchemaSerializer | None = None
        self._load = self._adapter.validator.validate_json
        self._warnings = False if is_plain(self._adapter.core_schema) else RAISED
        self._model = kind if is_taken_as_it_is(kind) else None
        self.name = name_of(kind)

    def check(self, value: T) -> T:
        """Return ``value`` as one of the type.

        Raises:
            PayloadError: It does not fit; names each place.
        """
        if type(value) is self._model:
            return value
        try:
            checked: T = self._check(value)
        except ValidationError as error:
            raise PayloadError(f"it does not fit {self.name}: {problems_of(error)}") from error
        return checked

    def encode(self, value: T) -> bytes:
        """Return the JSON text of ``value``.

        Raises:
            PayloadError: It does not fit the type, or JSON cannot hold it (NaN,
                infinities, lone surrogates, objects of unknown types).
        """
        checked = value if type(value) is self._model else self.check(value)
        try:
            text: bytes = self._dump(checked, by_alias=True, warnings=self._warnings)
        except UNWRITABLE as error:
            problem = VALUES.sub("", " ".join(str(error).split()))
            raise PayloadError(f"{self.name} cannot be written as JSON: {problem}") from error
        if is_doubtful(text) and holds_non_finite(checked):
            raise PayloadError(f"{self.name} holds NaN or an infinity, which JSON has no words for")
        return text

    def encode_many(self, values: Sequence[T]) -> Iterator[bytes]:
        """Yield the JSON text of each of many values that `check` has returned.

        Raises:
            PayloadError: As `encode`, at the value's turn.
        """
        dump = self._dump
        for first in range(0, len(values), TOGETHER):
            some = values[first : first + TOGETHER]
            if self._are_plain(some):
                for value in some:
                    yield dump(value, by_alias=True, warnings=False)
            else:
                yield from map(self.encode, some)

    def _are_plain(self, values: Sequence[T]) -> bool:
        """Tell whether each value can be written without a closer look.

        To have pydantic raise what it would only warn of takes it four times as long as to write a
        small payload, whether there is one or many.
        """
        if self._dump_all is None:
            self._dump_all = SchemaSerializer(core_schema.list_schema(self._adapter.core_schema))
        try:
            text = self._dump_all.to_json(values, by_alias=True, warnings="error")
        except UNWRITABLE:
            return False
        return not (is_doubtful(text) and holds_non_finite(values))

    def decode(self, text: bytes) -> T:
        """Return the value of a JSON text.

        Raises:
            PayloadError: It is no JSON, or does not fit the type; names each place.
        """
        try:
            value: T = self._load(text)
        except ValidationError as error:
            raise PayloadError(f"it does not fit {self.name}: {problems_of(error)}") from error
        return value


def is_doubtful(text: bytes) -> bool:
    """Tell whether a JSON text may stand for a number that is none.

    That is written as null, or as itself where a model's config says so.
    """
    return NULL in text or b"NaN" in text or b"Infinity" in text


def is_taken_as_it_is(kind: object) -> bool:
    """Tell whether pydantic takes instances of a type unseen, so need not be asked."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return False
    return kind.model_config.get("revalidate_instances", "never") == "never"


@lru_cache(maxsize=4096)
def codec_of(kind: object) -> Codec[Any]:
    """Return the one codec of a type.

    Raises:
        PayloadError: pydantic can make nothing of the type.
    """
    try:
        return Codec(kind)
    except Exception as error:  # pydantic raises many kinds for types it does not know
        raise PayloadError(
            f"{name_of(kind)} is no type that pydantic can check: {error}"
        ) from error


def encode_json(value: object) -> bytes:
    """Return the JSON text of what came out of JSON."""
    return to_json(value)


def name_of(kind: object) -> str:
    """Return a type's name as a person would write it."""
    if isinstance(kind, type) and not hasattr(kind, "__args__"):
        return kind.__name__
    return str(kind).replace("typing.", "")


def problems_of(error: ValidationError) -> str:
    """Word what is wrong and where, without the values: they may be secret."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    texts = [
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        if problem["loc"]
        else problem["msg"]
        for problem in found[:MAX_PROBLEMS]
    ]
    more = len(found) - MAX_PROBLEMS
    return "; ".join(texts) + (f"; and {more} more" if more > 0 else "")


def holds_non_finite(value: object) -> bool:
    """Tell whether a NaN or an infinity stands anywhere in ``value``."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, BaseModel):
        value = value.model_dump(warnings="none")
    elif hasattr(value, "__dataclass_fields__"):
        value = [getattr(value, name) for name in value.__dataclass_fields__]
    if isinstance(value, dict):
        return any(holds_non_finite(each) for pair in value.items() for each in pair)
    if isinstance(value, list | tuple | set | frozenset | deque):
        return any(holds_non_finite(each) for each in value)
    return False
