from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Generic, TypeVar, assert_type

import anyio
import anyio.lowlevel
import pytest

from framework.di import lifetime
from framework.di.container import Container
from framework.di.provider import ProviderSpec
from framework.errors import DependencyError

T = TypeVar("T")


class Pool: ...


class Smtp:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool


class Box(Generic[T]): ...


class Boxes:
    def __init__(self) -> None:
        self.built: list[object] = []

    def check(self, wants: object, asked_by: str) -> None: ...

    def build(self, wants: object) -> object:
        self.built.append(wants)
        return Box[object]()


class Mail:
    def __init__(self, smtp: Smtp, retries: int = 3, spare: Pool | None = None) -> None:
        self.smtp = smtp
        self.retries = retries
        self.spare = spare


async def test_things_are_built_when_first_asked_for_and_once() -> None:
    made: list[Pool] = []

    def pool() -> Pool:
        made.append(Pool())
        return made[-1]

    async with Container([ProviderSpec(Smtp), ProviderSpec(pool)]) as container:
        assert made == []
        smtp = await container.get(Smtp)
        again = await container.get(Smtp)

    assert_type(smtp, Smtp)
    assert smtp is again
    assert made == [smtp.pool]


async def test_things_asked_for_at_once_are_built_once() -> None:
    made: list[Pool] = []

    async def pool() -> Pool:
        made.append(Pool())
        await anyio.lowlevel.checkpoint()
        return made[-1]

    async with Container([ProviderSpec(pool)]) as container, anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(container.get, Pool)

    assert len(made) == 1


async def test_generators_close_in_reverse_order() -> None:
    seen: list[str] = []

    async def pool() -> AsyncIterator[Pool]:
        seen.append("pool opens")
        yield Pool()
        seen.append("pool closes")

    def smtp(pool: Pool) -> Iterator[Smtp]:
        seen.append("smtp opens")
        yield Smtp(pool)
        seen.append("smtp closes")

    async with Container([ProviderSpec(smtp), ProviderSpec(pool)]) as container:
        await container.get(Smtp)

    assert seen == ["pool opens", "smtp opens", "smtp closes", "pool closes"]


async def test_all_are_closed_whatever_some_raise() -> None:
    closed: list[str] = []

    async def pool() -> AsyncIterator[Pool]:
        yield Pool()
        closed.append("pool")
        raise ValueError("pool")

    async def smtp(pool: Pool) -> AsyncIterator[Smtp]:
        yield Smtp(pool)
        closed.append("smtp")
        raise KeyError("smtp")

    with pytest.raises(ExceptionGroup) as caught:
        async with Container([ProviderSpec(smtp), ProviderSpec(pool)]) as container:
            await container.get(Smtp)

    assert closed == ["smtp", "pool"]
    assert [type(error) for error in caught.value.exceptions] == [KeyError, ValueError]
    assert caught.value.exceptions[0].__notes__[0].startswith("while smtp (")


async def test_cancellation_waits_until_all_are_closed() -> None:
    closed: list[str] = []

    async def pool() -> AsyncIterator[Pool]:
        yield Pool()
        await anyio.lowlevel.checkpoint()
        closed.append("pool")

    with anyio.CancelScope() as scope:
        async with Container([ProviderSpec(pool)]) as container:
            await container.get(Pool)
            scope.cancel()
            await anyio.lowlevel.checkpoint()

    assert closed == ["pool"]


async def test_closing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifetime, "CLOSE_TIMEOUT", 0)

    async def pool() -> AsyncIterator[Pool]:
        yield Pool()
        await anyio.sleep_forever()

    with pytest.raises(ExceptionGroup) as caught:
        async with Container([ProviderSpec(pool)]) as container:
            await container.get(Pool)

    (error,) = caught.value.exceptions
    assert isinstance(error, TimeoutError)
    assert error.__notes__[0].endswith(" closed")


async def test_a_thing_that_fails_to_build_is_built_anew_the_next_time() -> None:
    attempts: list[int] = []

    def pool() -> Pool:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError("refused")
        return Pool()

    async with Container([ProviderSpec(pool)]) as container:
        with pytest.raises(ConnectionError) as caught:
            await container.get(Pool)
        await container.get(Pool)

    assert caught.value.__notes__[0].startswith("while pool (")
    assert caught.value.__notes__[0].endswith(" opened")


async def test_a_class_is_constructed_anew_each_time() -> None:
    async with Container([ProviderSpec(Smtp), ProviderSpec(Pool)]) as container:
        first = await container.construct(Mail)
        second = await container.construct(Mail)

    assert_type(first, Mail)
    assert first is not second
    assert first.smtp is second.smtp


async def test_a_default_stands_where_nothing_is_provided() -> None:
    async with Container(values={Smtp: Smtp(Pool())}) as container:
        mail = await container.construct(Mail)

    assert (mail.retries, mail.spare) == (3, None)


async def test_what_may_be_none_is_injected_if_provided() -> None:
    async with Container([ProviderSpec(Smtp), ProviderSpec(Pool)]) as container:
        mail = await container.construct(Mail)

    assert mail.spare is mail.smtp.pool


async def test_annotated_is_looked_up_whole_first() -> None:
    main, plain = Pool(), Pool()

    async with Container(values={Annotated[Pool, "main"]: main, Pool: plain}) as container:
        assert await container.get(Annotated[Pool, "main"]) is main
        assert await container.get(Annotated[Pool, "other"]) is plain


async def test_a_factory_builds_each_expression_once() -> None:
    boxes = Boxes()

    async with Container(factories={Box: boxes}) as container:
        first = await container.get(Box[int])
        await container.get(Box[int])
        await container.get(Annotated[Box[str], "main"])

    assert isinstance(first, Box)
    assert boxes.built == [Box[int], Annotated[Box[str], "main"]]


async def test_a_value_for_one_generic_stands_before_its_factory() -> None:
    mine, boxes = Box[int](), Boxes()

    async with Container(factories={Box: boxes}, overrides={Box[int]: mine}) as container:
        assert await container.get(Box[int]) is mine
        assert await container.get(Annotated[Box[int], "main"]) is mine

    assert boxes.built == []


async def test_an_override_stands_in_for_a_provider() -> None:
    fake = Pool()

    async with Container(
        [ProviderSpec(Smtp), ProviderSpec(Pool)], overrides={Pool: fake}
    ) as container:
        assert (await container.get(Smtp)).pool is fake


async def test_what_is_not_provided_cannot_be_got() -> None:
    async with Container() as container:
        with pytest.raises(DependencyError) as caught:
            await container.get(Pool, asked_by="inject(Pool)")
        with pytest.raises(DependencyError) as bare:
            await container.get(Pool)

    text = f"no provider for {__name__}.Pool. Write a @provider function that returns it"
    assert str(caught.value) == f"inject(Pool): {text}"
    assert str(bare.value) == f"the container: {text}"


async def test_what_ends_with_a_job_cannot_be_got() -> None:
    async with Container([ProviderSpec(Pool, "job")]) as container:
        with pytest.raises(DependencyError, match="longer-lived asks shorter-lived"):
            await container.get(Pool)


async def test_a_closed_container_builds_nothing() -> None:
    container = Container([ProviderSpec(Pool)])

    with pytest.raises(RuntimeError, match="not open"):
        await container.get(Pool)
    async with container:
        await container.get(Pool)
    with pytest.raises(RuntimeError, match="not open"):
        await container.get(Pool)
