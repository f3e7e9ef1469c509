"""What is written without a closer look is written the same, and only where nothing can be odd."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, PlainSerializer, TypeAdapter

from framework.errors import PayloadError
from framework.wire.payload import codec_of
from framework.wire.plain_schema import is_plain


class Size(IntEnum):
    SMALL = 1


class Word(str):
    pass


class Order(BaseModel):
    n: int


@dataclass
class Line:
    pieces: int


PLAIN: list[tuple[Any, Any]] = [
    (int, 5),
    (int, Size.SMALL),
    (int, True),
    (float, 5),
    (str, Word("text")),
    (bool, 1),
    (None, None),
    (int | None, None),
    (list[int], [1, Size.SMALL]),
    (dict[str, int], {"a": 1}),
    (tuple[int, str], (1, "a")),
    (tuple[int, ...], [1, 2]),
    (set[str], {"a"}),
    (Literal["a", "b"], "b"),
    (datetime, datetime(2026, 1, 1, tzinfo=UTC)),
    (Decimal, 5),
    (UUID, str(UUID(int=5))),
    (Annotated[int, Field(gt=0)], 5),
]
ODD: list[Any] = [
    Order,
    list[Order],
    Line,
    Any,
    dict[str, Any],
    int | str,
    Annotated[int, PlainSerializer(lambda number: f"{number}")],
]


def adapter_of(kind: object) -> TypeAdapter[Any]:
    form: Any = kind
    return TypeAdapter(form)


@pytest.mark.parametrize(("kind", "value"), PLAIN)
def test_a_plain_value_is_written_as_with_a_closer_look(kind: object, value: object) -> None:
    adapter = adapter_of(kind)
    checked = adapter.validate_python(value)

    assert is_plain(adapter.core_schema)
    assert codec_of(kind).encode(value) == adapter.dump_json(checked, warnings="error")


@pytest.mark.parametrize("kind", ODD)
def test_what_may_hold_anything_is_looked_at(kind: object) -> None:
    assert not is_plain(adapter_of(kind).core_schema)


def test_a_model_that_was_changed_behind_its_back_is_refused() -> None:
    order = Order(n=1)
    order.__dict__["n"] = "many"

    with pytest.raises(PayloadError):
        codec_of(list[Order]).encode([order])
