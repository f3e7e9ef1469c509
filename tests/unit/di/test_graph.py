from collections.abc import Callable
from types import ModuleType
from typing import Annotated, Generic, TypeVar

import pytest

from framework.di.container import Container
from framework.di.provider import provider_of
from framework.di.signature import Parameter, Request
from framework.errors import DeclarationError, DependencyError, RouteError

Write = Callable[[str, str], ModuleType]
T = TypeVar("T")


class Context: ...


class SyncContext: ...


class Box(Generic[T]): ...


class Boxes:
    """A factory that knows boxes of `int` alone."""

    def check(self, wants: object, asked_by: str) -> None:
        if wants != Box[int]:
            raise RouteError("no box of that kind", where=asked_by)

    def build(self, wants: object) -> object:
        raise NotImplementedError


INFRA = """
from collections.abc import Iterator
from framework.di.provider import provider

class Smtp: ...
class Session: ...

@provider
def smtp() -> Smtp: ...

@provider(scope="job")
def session(smtp: Smtp) -> Iterator[Session]:
    yield Session()
"""


def container_of(*modules: ModuleType) -> Container:
    things = [one for module in modules for one in vars(module).values()]
    return Container([spec for spec in map(provider_of, things) if spec is not None])


def complaint(container: Container, *requests: Request) -> str:
    with pytest.raises(DeclarationError) as caught:
        container.check(requests)
    return str(caught.value)


def test_what_is_provided_passes(write: Write) -> None:
    infra = write("shop.infra", INFRA)
    mail = write(
        "shop.mail",
        """
        from shop.infra import Session, Smtp
        class Mail:
            def __init__(self, smtp: Smtp) -> None: ...
            def process(self, session: Session) -> None: ...
        """,
    )
    handler = Request((Parameter("session", infra.Session),), "Mail.process", scope="job")

    container_of(infra).check([Request.of(mail.Mail), handler])


def test_a_missing_provider_is_named_with_near_misses(write: Write) -> None:
    infra = write(
        "shop.infra",
        """
        from framework.di.provider import provider
        class Smtp: ...
        @provider
        class SmtpModule: ...
        """,
    )
    mail = write(
        "shop.mail",
        """
        from shop.infra import Smtp
        class Mail:
            def __init__(self, smtp: Smtp) -> None: ...
        """,
    )

    assert complaint(container_of(infra), Request.of(mail.Mail)) == (
        "shop/mail.py:3: Mail.__init__(smtp: Smtp): no provider for shop.infra.Smtp. "
        "Write a @provider function that returns it; near misses: shop.infra.SmtpModule"
    )


def test_a_missing_provider_of_another_provider_is_found_though_no_one_asks(write: Write) -> None:
    infra = write(
        "shop.infra",
        """
        from framework.di.provider import provider
        class Pool: ...
        class Smtp: ...
        @provider
        def smtp(pool: Pool) -> Smtp: ...
        """,
    )

    assert complaint(container_of(infra)) == (
        "shop/infra.py:4: smtp(pool: Pool): no provider for shop.infra.Pool. "
        "Write a @provider function that returns it"
    )


def test_a_provided_subclass_is_pointed_out(write: Write) -> None:
    infra = write(
        "shop.infra",
        """
        from typing import Protocol
        from framework.di.provider import provider
        class Smtp(Protocol): ...
        class SmtpClient(Smtp): ...
        @provider
        def client() -> SmtpClient: ...
        class Mail:
            def __init__(self, smtp: Smtp) -> None: ...
        """,
    )

    assert complaint(container_of(infra), Request.of(infra.Mail)) == (
        "shop/infra.py:8: Mail.__init__(smtp: Smtp): no provider for shop.infra.Smtp. "
        "Provided: shop.infra.SmtpClient (shop/infra.py:5), a subclass; "
        "annotate the provider's return type as Smtp"
    )


def test_a_builtin_type_does_not_say_which_one(write: Write) -> None:
    mail = write("shop.mail", "def mail(sender: str) -> int: ...")

    assert complaint(container_of(), Request.of(mail.mail)) == (
        "shop/mail.py:1: mail(sender: str): no provider for str. "
        "Give it a default, or ask for a type of your own: str does not say which one"
    )


def test_the_same_generic_of_another_payload_is_a_near_miss(write: Write) -> None:
    mail = write(
        "shop.mail",
        """
        from framework.di.provider import provider
        @provider
        def boxes() -> list[int]: ...
        def mail(box: list[str]) -> int: ...
        """,
    )

    assert complaint(container_of(mail), Request.of(mail.mail)).endswith(
        "no provider for list[str]. Write a @provider function that returns it; "
        "near misses: list[int]"
    )


def test_a_context_of_the_other_kind_says_which_one_to_ask_for() -> None:
    request = Request(
        (Parameter("ctx", Context),),
        "Video.process",
        "shop/video.py:9",
        "job",
        frozenset({SyncContext}),
    )

    assert complaint(Container(), request) == (
        f"shop/video.py:9: Video.process(ctx: Context): no provider for {__name__}.Context. "
        "Ask for SyncContext: that is the one where this runs"
    )


def test_two_providers_of_one_type_are_both_named(write: Write) -> None:
    infra = write("shop.infra", INFRA)
    test = write(
        "shop.fakes",
        """
        from framework.di.provider import provider
        from shop.infra import Smtp
        @provider
        def fake() -> Smtp: ...
        """,
    )

    with pytest.raises(DependencyError) as caught:
        container_of(infra, test)

    assert str(caught.value) == (
        "shop/fakes.py:3: shop.infra.Smtp has two providers: shop/infra.py:7 and "
        "shop/fakes.py:3. Remove one, or tell them apart: "
        'Annotated[…, "name"] in the return type and where it is asked for'
    )


def test_a_provider_found_in_two_modules_counts_once(write: Write) -> None:
    infra = write("shop.infra", INFRA)

    container_of(infra, infra).check()


def test_what_the_framework_provides_cannot_be_provided_again(write: Write) -> None:
    infra = write("shop.infra", INFRA)
    spec = provider_of(infra.smtp)
    assert spec is not None

    with pytest.raises(DependencyError) as caught:
        Container([spec], values={infra.Smtp: infra.Smtp()})

    assert "two providers: the framework and shop/infra.py:7" in str(caught.value)


def test_a_cycle_is_shown_whole(write: Write) -> None:
    infra = write(
        "shop.infra",
        """
        from framework.di.provider import provider
        class A: ...
        class B: ...
        class C: ...
        @provider
        def a(b: B) -> A: ...
        @provider
        def b(c: C) -> B: ...
        @provider
        def c(b: B) -> C: ...
        """,
    )

    assert complaint(container_of(infra), Request.of(infra.a)) == (
        "shop/infra.py:9: c(b: B): a cycle: "
        "B (shop/infra.py:7) -> C (shop/infra.py:9) -> B. "
        "Let one of them do without the next, or move what both need into a third"
    )
    assert "a cycle: B (shop/infra.py:7) -> C (shop/infra.py:9) -> B" in complaint(
        container_of(infra)
    )


def test_a_constructor_cannot_ask_for_what_ends_with_each_job(write: Write) -> None:
    infra = write("shop.infra", INFRA)
    mail = write(
        "shop.mail",
        """
        from shop.infra import Session
        class Mail:
            def __init__(self, session: Session) -> None: ...
        """,
    )

    assert complaint(container_of(infra), Request.of(mail.Mail)) == (
        "shop/mail.py:3: Mail.__init__(session: Session): longer-lived asks shorter-lived: "
        "shop.infra.Session (shop/infra.py:10) lives as long as one job, "
        "Mail.__init__ as long as the process. "
        'Ask for it beside the job, in process(…), or from a @provider(scope="job")'
    )


def test_an_app_scoped_provider_cannot_ask_for_a_seed(write: Write) -> None:
    infra = write(
        "shop.infra",
        """
        from framework.di.provider import provider
        class Log: ...
        class Context: ...
        @provider
        def log(ctx: Context) -> Log: ...
        def handle(log: Log) -> int: ...
        """,
    )
    request = Request.of(infra.handle, scope="job", seeds=[infra.Context])

    assert complaint(container_of(infra), request) == (
        "shop/infra.py:4: log(ctx: Context): longer-lived asks shorter-lived: "
        "shop.infra.Context lives as long as one job, log as long as the process. "
        'Ask for it beside the job, in process(…), or from a @provider(scope="job")'
    )


def test_a_job_scoped_provider_may_ask_for_a_seed(write: Write) -> None:
    infra = write(
        "shop.infra",
        """
        from framework.di.provider import provider
        class Log: ...
        class Context: ...
        @provider(scope="job")
        def log(ctx: Context) -> Log: ...
        def handle(log: Log) -> int: ...
        """,
    )

    container_of(infra).check([Request.of(infra.handle, scope="job", seeds=[infra.Context])])


def test_what_is_positional_only_cannot_be_injected(write: Write) -> None:
    infra = write("shop.infra", INFRA)
    mail = write("shop.mail", "from shop.infra import Smtp\ndef mail(smtp: Smtp, /) -> int: ...")

    assert complaint(container_of(infra), Request.of(mail.mail)) == (
        "shop/mail.py:2: mail(smtp: Smtp): what is positional-only cannot be injected. "
        "Remove the / from the signature"
    )


def test_a_factory_says_who_asked_for_what_it_cannot_build() -> None:
    def mail(box: Box[str]) -> int:
        raise NotImplementedError

    container = Container(factories={Box: Boxes()})
    asked = Request((Parameter("box", Box[str]),), "mail", "shop/mail.py:3")

    assert complaint(container, asked) == "shop/mail.py:3: mail(box: Box[str]): no box of that kind"


def test_a_factory_gets_the_whole_expression() -> None:
    asked = Request((Parameter("box", Annotated[Box[int], "main"]),), "mail")

    assert complaint(Container(factories={Box: Boxes()}), asked).startswith(
        "mail(box: Annotated[Box[int], 'main'])"
    )


def test_an_overridden_provider_needs_nothing(write: Write) -> None:
    infra = write(
        "shop.infra",
        """
        from framework.di.provider import provider
        class Pool: ...
        class Smtp: ...
        @provider
        def smtp(pool: Pool) -> Smtp: ...
        def mail(smtp: Smtp) -> int: ...
        """,
    )
    spec = provider_of(infra.smtp)
    assert spec is not None

    Container([spec], overrides={infra.Smtp: object()}).check([Request.of(infra.mail)])


def test_a_type_that_cannot_be_a_key_is_refused(write: Write) -> None:
    infra = write(
        "shop.infra",
        """
        from typing import Annotated
        from framework.di.provider import provider
        @provider
        def smtp() -> Annotated[int, []]: ...
        """,
    )

    with pytest.raises(DependencyError) as caught:
        container_of(infra)

    assert str(caught.value) == (
        "shop/infra.py:3: Annotated[int, []] cannot be looked up: its metadata is not hashable. "
        "Annotate the return type without it"
    )
