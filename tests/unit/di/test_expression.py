from typing import Annotated, Any, Generic, Literal, NewType, TypeVar

import pytest
from typing_extensions import TypeAliasType

from framework.di.expression import bare, candidates, origin_of, spell
from framework.model.job import Job

T = TypeVar("T")
Dsn = NewType("Dsn", str)


class Smtp: ...


class Box(Generic[T]): ...


Mailer = TypeAliasType("Mailer", Annotated[Box[Smtp], "main"])


@pytest.mark.parametrize(
    ("expression", "short"),
    [
        (Smtp, "Smtp"),
        (Box[Smtp], "Box[Smtp]"),
        (Annotated[Box[Smtp], "main"], "Annotated[Box[Smtp], 'main']"),
        (Job[Smtp], "Job[Smtp]"),
        (Job[Smtp, int], "Job[Smtp, int]"),
        (Smtp | None, "Smtp | None"),
        (dict[str, Any], "dict[str, Any]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (None, "None"),
        (Dsn, "Dsn"),
        (Mailer, "Mailer"),
        ("Later", "'Later'"),
    ],
)
def test_an_expression_is_spelled_as_in_source(expression: object, short: str) -> None:
    assert spell(expression) == short


def test_a_full_spelling_names_the_modules() -> None:
    assert spell(Box[Smtp] | int, full=True) == f"{__name__}.Box[{__name__}.Smtp] | int"


def test_a_class_in_a_function_is_spelled_without_the_function() -> None:
    class Local: ...

    assert spell(Local) == "Local"


def test_the_whole_is_looked_up_before_what_it_wraps() -> None:
    assert list(candidates(Annotated[Smtp, "main"] | None)) == [
        Annotated[Smtp, "main"] | None,
        Annotated[Smtp, "main"],
        Smtp,
    ]
    assert list(candidates(Mailer)) == [Mailer, Annotated[Box[Smtp], "main"], Box[Smtp]]


def test_metadata_that_is_not_hashable_is_no_key() -> None:
    assert list(candidates(Annotated[Smtp, ["main"]])) == [Smtp]


def test_a_union_of_two_wraps_nothing() -> None:
    assert list(candidates(Smtp | int)) == [Smtp | int]


def test_the_origin_is_the_class_behind_it_all() -> None:
    assert origin_of(Mailer) is Box
    assert origin_of(Annotated[Smtp, "main"]) is Smtp
    assert bare(Mailer) == Box[Smtp]
