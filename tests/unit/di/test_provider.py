from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from types import ModuleType

import pytest

from framework.di.provider import (
    ProviderSpec,
    provider,
    provider_of,
    resolve_provider,
)
from framework.errors import DependencyError

Write = Callable[[str, str], ModuleType]


class Smtp: ...


def test_the_decorator_returns_what_it_marks() -> None:
    def smtp() -> Smtp:
        return Smtp()

    class Mail: ...

    assert provider(smtp) is smtp
    assert provider(scope="job")(Mail) is Mail
    assert provider_of(smtp) == ProviderSpec(smtp, "app")
    assert provider_of(Mail) == ProviderSpec(Mail, "job")


def test_a_subclass_of_a_provider_is_none() -> None:
    @provider
    class Mail: ...

    class Letter(Mail): ...

    assert provider_of(Letter) is None
    assert provider_of("Mail") is None


def test_each_kind_of_function_provides_what_it_hands_over() -> None:
    def plain() -> Smtp:
        raise NotImplementedError

    async def coroutine() -> Smtp:
        raise NotImplementedError

    def iterator() -> Iterator[Smtp]:
        yield Smtp()

    def generator() -> Generator[Smtp, None, None]:
        yield Smtp()

    async def async_iterator() -> AsyncIterator[Smtp]:
        yield Smtp()

    async def async_generator() -> AsyncGenerator[Smtp, None]:
        yield Smtp()

    functions = [plain, coroutine, iterator, generator, async_iterator, async_generator]
    resolved = [resolve_provider(ProviderSpec(one)) for one in functions]

    assert [one.provides for one in resolved] == [Smtp] * 6
    assert [one.makes for one in resolved] == [
        "value",
        "coroutine",
        "generator",
        "generator",
        "async generator",
        "async generator",
    ]


def test_a_function_that_returns_an_iterator_provides_it() -> None:
    def numbers() -> Iterator[int]:
        return iter([1])

    assert resolve_provider(ProviderSpec(numbers)).provides == Iterator[int]


def test_a_class_provides_itself() -> None:
    resolved = resolve_provider(ProviderSpec(Smtp, "job"))

    assert (resolved.provides, resolved.makes) == (Smtp, "value")
    assert (resolved.request.scope, resolved.request.asked_by) == ("job", "Smtp.__init__")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "def smtp(): ...",
            "shop/infra.py:1: smtp has no return annotation. "
            "Write def smtp(…) -> Smtp, say; what it returns is what it provides",
        ),
        (
            "def smtp() -> None: ...",
            "shop/infra.py:1: smtp -> None provides nothing that can be asked for. "
            "Annotate the type that it makes",
        ),
        (
            "def smtp() -> int:\n    yield 1",
            "shop/infra.py:1: smtp is a generator, but annotated int. Write -> Iterator[int]",
        ),
        (
            "async def smtp() -> int:\n    yield 1",
            "shop/infra.py:1: smtp is a generator, but annotated int. Write -> AsyncIterator[int]",
        ),
        (
            "from contextlib import contextmanager\n"
            "from collections.abc import Iterator\n"
            "@contextmanager\n"
            "def smtp() -> Iterator[int]:\n"
            "    yield 1",
            "shop/infra.py:3: smtp is wrapped by another decorator that hides its yield. "
            "Put @provider on the generator function itself, without @contextmanager",
        ),
    ],
)
def test_a_provider_that_does_not_say_what_it_provides(
    write: Write, source: str, text: str
) -> None:
    shop = write("shop.infra", source)

    with pytest.raises(DependencyError) as caught:
        resolve_provider(ProviderSpec(shop.smtp))

    assert str(caught.value) == text


def test_an_unknown_scope_is_refused(write: Write) -> None:
    shop = write("shop.infra", "def smtp() -> int: ...")

    with pytest.raises(DependencyError) as caught:
        provider(scope="request")(shop.smtp)  # type: ignore[call-overload]  # the point

    assert str(caught.value) == (
        'shop/infra.py:1: smtp: unknown scope \'request\'. Write scope="app" or scope="job"'
    )


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(DependencyError) as caught:
        provider(len)

    assert str(caught.value).startswith("tests/unit/di/test_provider.py:")
    assert str(caught.value).endswith(
        ": @provider cannot mark a builtin_function_or_method. "
        "Put it on a function, a generator function or a class"
    )
