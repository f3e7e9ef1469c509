import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from types import ModuleType
from typing import Annotated, Protocol

import pytest

from framework.di.place import caller, where
from framework.di.signature import REQUIRED, Parameter, Request, returns_of, signature_of
from framework.errors import DependencyError, ProcessorError

Write = Callable[[str, str], ModuleType]


class Smtp: ...


class Sends(Protocol):
    def send(self) -> None: ...


def test_parameters_are_resolved_in_order() -> None:
    def handle(job: "int", /, smtp: Annotated[Smtp, "main"], *, retries: int = 3) -> str:
        raise NotImplementedError

    assert signature_of(handle) == (
        Parameter("job", int, kind="positional"),
        Parameter("smtp", Annotated[Smtp, "main"]),
        Parameter("retries", int, 3, "keyword"),
    )
    assert signature_of(handle, skip=2)[0].name == "retries"
    assert returns_of(handle) is str


def test_a_class_asks_for_what_its_constructor_takes() -> None:
    class Mail:
        def __init__(self, smtp: Smtp) -> None: ...

    class Letter(Mail): ...

    assert signature_of(Letter) == (Parameter("smtp", Smtp),)


def test_a_class_without_a_constructor_asks_for_nothing() -> None:
    class Gateway(Sends):
        def send(self) -> None: ...

    assert signature_of(Smtp) == ()
    assert signature_of(Gateway) == ()


def test_a_dataclass_asks_for_its_fields() -> None:
    @dataclass
    class Mail:
        smtp: Smtp
        retries: int = 3

    assert signature_of(Mail) == (Parameter("smtp", Smtp), Parameter("retries", int, 3))


def test_a_wrapped_function_asks_for_what_it_wraps() -> None:
    def inner(smtp: Smtp) -> int:
        raise NotImplementedError

    @wraps(inner)
    def outer(*args: object, **kwargs: object) -> int:
        raise NotImplementedError

    assert signature_of(outer) == (Parameter("smtp", Smtp),)


def test_a_function_that_says_nothing_of_its_result() -> None:
    def silent():  # type: ignore[no-untyped-def]  # noqa: ANN202  # the point of the test
        raise NotImplementedError

    assert returns_of(silent) is REQUIRED


def test_a_missing_annotation_is_named(write: Write) -> None:
    shop = write(
        "shop.mail",
        """
        class Mail:
            def __init__(self, smtp):
                self.smtp = smtp
        """,
    )

    with pytest.raises(DependencyError) as caught:
        signature_of(shop.Mail)

    assert str(caught.value) == (
        "shop/mail.py:2: Mail.__init__(smtp): smtp has no annotation. "
        "Write its type, as in smtp: Smtp; what is injected is found by it"
    )


def test_an_annotation_may_be_missing_where_it_is_not_needed(write: Write) -> None:
    shop = write("shop.mail", "def note(event): ...")

    assert signature_of(shop.note, lenient=True) == (Parameter("event", object),)


@pytest.mark.parametrize(("stars", "shown"), [("*args", "*args"), ("**more: int", "**more")])
def test_stars_cannot_be_injected(write: Write, stars: str, shown: str) -> None:
    shop = write("shop.mail", f"def mail({stars}) -> int: ...")

    with pytest.raises(DependencyError) as caught:
        signature_of(shop.mail)

    assert str(caught.value) == (
        f"shop/mail.py:1: mail({shown}): nothing can be injected into {shown}. "
        "Name each parameter with its type, or write a @provider function that calls it"
    )


def test_a_name_for_type_checkers_alone_is_named_with_the_fix(write: Write) -> None:
    shop = write(
        "shop.mail",
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from shop.infra import Smtp

        class Mail:
            def __init__(self, retries: int, smtp: Smtp) -> None:
                self.smtp = smtp
        """,
    )

    with pytest.raises(DependencyError) as caught:
        signature_of(shop.Mail)

    assert str(caught.value) == (
        "shop/mail.py:8: Mail.__init__(smtp: Smtp): Smtp is not defined when the annotation is "
        "read. Define or import Smtp at module level, not under `if TYPE_CHECKING:`, and remove "
        "`from __future__ import annotations`"
    )


def test_a_quoted_name_that_is_missing_needs_no_future(write: Write) -> None:
    shop = write("shop.mail", 'def mail(smtp: "Smtp | None") -> int: ...')

    with pytest.raises(ProcessorError) as caught:
        signature_of(shop.mail, error=ProcessorError)

    assert str(caught.value) == (
        "shop/mail.py:1: mail(smtp: Smtp | None): Smtp is not defined when the annotation is "
        "read. Define or import Smtp at module level, not under `if TYPE_CHECKING:`"
    )


def test_a_result_that_cannot_be_resolved_is_named(write: Write) -> None:
    shop = write("shop.mail", 'def mail() -> "Receipt": ...')

    with pytest.raises(DependencyError) as caught:
        returns_of(shop.mail)

    assert str(caught.value).startswith("shop/mail.py:1: mail() -> Receipt: Receipt is not defined")


def test_an_annotation_that_fails_to_evaluate_is_named(write: Write) -> None:
    shop = write("shop.mail", 'import sys\ndef mail(smtp: "sys.Smtp") -> int: ...')

    with pytest.raises(DependencyError) as caught:
        signature_of(shop.mail)

    assert str(caught.value) == (
        "shop/mail.py:2: mail(smtp: sys.Smtp): the annotation cannot be read (AttributeError: "
        "module 'sys' has no attribute 'Smtp'). "
        "Write a type that exists when the module has been imported"
    )


def test_a_constructor_without_a_signature_is_named(write: Write) -> None:
    shop = write("shop.mail", "class Mail(dict): ...")

    with pytest.raises(DependencyError) as caught:
        signature_of(shop.Mail)

    assert str(caught.value).startswith("shop/mail.py:1: Mail.__init__(*args): nothing can be")


def test_a_request_names_who_asks_and_where(write: Write) -> None:
    shop = write(
        "shop.mail",
        """
        from dataclasses import dataclass

        class Smtp: ...

        @dataclass
        class Mail:
            smtp: Smtp
        """,
    )

    request = Request.of(shop.Mail, scope="job", seeds=[int])

    assert (request.asked_by, request.where) == ("Mail.__init__", "shop/mail.py:5")
    assert (request.scope, request.seeds) == ("job", frozenset({int}))
    assert request.label(request.parameters[0]) == "Mail.__init__(smtp: Smtp)"


def test_places_outside_the_working_directory_are_absolute(write: Write) -> None:
    write("shop.mail", "")

    assert where(test_places_outside_the_working_directory_are_absolute).startswith(f"{__file__}:")


def test_what_has_no_source_is_named() -> None:
    made = type("Made", (), {"__module__": "shop.made"})

    assert where(made) == "shop.made.Made"
    assert where(len) == "len"


def test_the_caller_is_found() -> None:
    def declare() -> str:
        return caller()

    line = sys._getframe().f_lineno + 1  # noqa: SLF001  # the plain way to know it
    assert declare().endswith(f"test_signature.py:{line}")
