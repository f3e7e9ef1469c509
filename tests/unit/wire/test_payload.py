"""Payloads, to JSON and back, checked on both sides."""

import math
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, RootModel
from typing_extensions import TypedDict

from framework.errors import PayloadError
from framework.wire.payload import codec_of


class Colour(StrEnum):
    RED = "red"


class Inner(BaseModel):
    weight: float | None = None


class Model(BaseModel):
    name: str
    inner: Inner = Inner()
    at: datetime | None = None
    colours: set[Colour] = set()


class Loud(BaseModel):
    model_config = ConfigDict(ser_json_inf_nan="constants")
    weight: float


@dataclass
class Data:
    a: int
    b: float | None = None


class Typed(TypedDict, total=False):
    a: int
    b: str


class Tuple(NamedTuple):
    a: int
    b: str


class Weights(RootModel[list[float]]):
    pass


NOW = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Model, Model(name="ž🐎", inner=Inner(weight=None), at=NOW, colours={Colour.RED})),
        (Model, Model(name="", inner=Inner(weight=1.5))),
        (Data, Data(1)),
        (Data, Data(1, 2.5)),
        (Typed, {"a": 1}),
        (Tuple, Tuple(1, "x")),
        (Weights, Weights([1.0])),
        (list[Model], [Model(name="x")]),
        (dict[str, list[int]], {"a": [1]}),
        (int | str, "7"),
        (datetime, NOW),
        (timedelta, timedelta(hours=1)),
        (Decimal, Decimal("1.10")),
        (type(None), None),
        (bytes, b"abc"),
        (object, {"a": [1, None]}),
        (Any, None),
    ],
    ids=str,
)
def test_a_value_comes_back_as_it_was(kind: object, value: object) -> None:
    codec = codec_of(kind)

    text = codec.encode(value)

    assert codec.decode(text) == value
    assert list(codec.encode_many([value] * 3)) == [text] * 3


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(json_values)
def test_any_json_comes_back_as_it_was(value: object) -> None:
    codec = codec_of(Any)

    assert codec.decode(codec.encode(value)) == value


NOT_FINITE = [
    (Any, math.nan),
    (Any, [1, {"a": math.inf}]),
    (Any, {"a": (-math.inf,)}),
    (float, math.nan),
    (list[float], [math.inf]),
    (Inner, Inner(weight=math.nan)),
    (Model, Model(name="x", inner=Inner(weight=math.inf))),
    (Data, Data(1, math.nan)),
    (list[Data], [Data(1, math.nan)]),
    (Weights, Weights([math.nan])),
    (deque[float], deque([math.nan])),
    (Loud, Loud(weight=math.nan)),
    (list[Loud], [Loud(weight=math.inf)]),
    (dict[str, Inner], {"x": Inner(weight=-math.inf)}),
]


@pytest.mark.parametrize(("kind", "value"), NOT_FINITE, ids=str)
def test_a_number_that_is_none_is_refused(kind: object, value: object) -> None:
    with pytest.raises(PayloadError, match="NaN or an infinity"):
        codec_of(kind).encode(value)


@pytest.mark.parametrize(("kind", "value"), NOT_FINITE, ids=str)
def test_a_number_that_is_none_is_refused_among_many(kind: object, value: object) -> None:
    texts = codec_of(kind).encode_many([value])

    with pytest.raises(PayloadError, match="NaN or an infinity"):
        next(texts)


class Node(BaseModel):
    below: "list[Node]" = []


def test_many_values_of_a_type_that_holds_itself_are_written() -> None:
    assert list(codec_of(Node).encode_many([Node(below=[Node()]), Node()])) == [
        b'{"below":[{"below":[]}]}',
        b'{"below":[]}',
    ]


def test_a_value_that_was_spoilt_later_is_refused_at_its_turn() -> None:
    good, spoilt = Model(name="good"), Model(name="bad")
    spoilt.name = 7  # type: ignore[assignment]  # what callers without a type checker do
    texts = codec_of(Model).encode_many([good, spoilt])

    assert next(texts) == codec_of(Model).encode(good)
    with pytest.raises(PayloadError, match="cannot be written as JSON"):
        next(texts)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Any, "\ud800"), (Any, {"\udfff": 1}), (str, "a\ud800"), (Model, Model(name="\ud800"))],
    ids=ascii,
)
def test_half_a_character_is_refused(kind: object, value: object) -> None:
    with pytest.raises(PayloadError):
        codec_of(kind).encode(value)


def test_nulls_among_numbers_are_no_infinities() -> None:
    assert codec_of(list[Inner]).encode([Inner(), Inner(weight=1)]) == (
        b'[{"weight":null},{"weight":1.0}]'
    )


def test_what_goes_round_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(PayloadError):
        codec_of(Any).encode(endless)


def test_an_object_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(PayloadError, match="cannot be written as JSON"):
        codec_of(Any).encode({"x": object()})


def test_what_does_not_fit_is_named_by_its_place_but_not_shown() -> None:
    with pytest.raises(PayloadError) as raised:
        codec_of(Model).decode(b'{"name":1,"inner":{"weight":"secret"}}')

    assert "it does not fit Model" in str(raised.value)
    assert "name: " in str(raised.value)
    assert "inner.weight: " in str(raised.value)
    assert "secret" not in str(raised.value)


def test_many_problems_are_cut_short() -> None:
    with pytest.raises(PayloadError, match="and 5 more"):
        codec_of(list[int]).decode(b'["a","b","c","d","e","f","g","h","i","j"]')


@given(st.binary(max_size=50))
def test_any_bytes_are_read_or_refused_with_one_error(text: bytes) -> None:
    for kind in (Any, Model, int, list[float]):
        with suppress(PayloadError):
            codec_of(kind).decode(text)


def test_a_type_that_cannot_be_checked_is_refused() -> None:
    class Strange:
        pass

    with pytest.raises(PayloadError, match="Strange is no type that pydantic can check"):
        codec_of(Strange)


def test_a_type_has_one_codec() -> None:
    assert codec_of(Model) is codec_of(Model)
