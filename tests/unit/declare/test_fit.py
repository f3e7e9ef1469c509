from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

import pytest

from framework.declare.fit import filled, fits, is_open, variables_of

T = TypeVar("T")
U = TypeVar("U")


class Animal: ...


class Cat(Animal): ...


class Speaks(Protocol):
    word: str


class Base(Generic[T, U]):
    def process(self) -> None: ...


class Middle(Base[T, list[U]]): ...


class Leaf(Middle[int, str]): ...


@pytest.mark.parametrize(
    ("returned", "declared"),
    [
        (str, str),
        (Cat, Animal),
        (str, object),
        (Any, int),
        (int, Any),
        (int, int | None),
        (int | None, int | str | None),
        (int, float),
        (list[int], Sequence[int]),
        (Cat, Speaks),
    ],
)
def test_types_that_agree(returned: object, declared: object) -> None:
    assert fits(returned, declared)


@pytest.mark.parametrize(
    ("returned", "declared"),
    [(str, int), (Animal, Cat), (int | None, int), (list[int], dict[str, int]), (type(None), str)],
)
def test_types_that_contradict(returned: object, declared: object) -> None:
    assert not fits(returned, declared)


def test_type_variables_of_bases_are_followed() -> None:
    variables = variables_of(Leaf, "process")

    assert filled(T, variables) is int
    assert filled(U, variables) == list[str]
    assert filled(list[T], variables) == list[int]  # type: ignore[valid-type]  # a value here


def test_what_is_not_known_stays_open() -> None:
    assert is_open(filled(list[T], {}))  # type: ignore[valid-type]  # a value here
    assert is_open(T)
    assert not is_open(list[int])
    assert variables_of(Base, "absent") == {}
