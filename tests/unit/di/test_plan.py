from collections.abc import AsyncIterator, Callable, Iterator

import anyio
import anyio.lowlevel
import pytest

from framework.di.container import Container
from framework.di.plan import Plan
from framework.di.provider import ProviderSpec
from framework.di.signature import Request


class Context: ...


class Pool: ...


class Session: ...


class Table:
    def __init__(self, session: Session, ctx: Context) -> None:
        self.session = session
        self.ctx = ctx


SEEN: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    SEEN.clear()


async def session(pool: Pool) -> AsyncIterator[Session]:
    SEEN.append("begin")
    try:
        yield Session()
    except BaseException as error:
        SEEN.append(f"roll back {type(error).__name__}")
        raise
    SEEN.append("commit")


PROVIDERS = [
    ProviderSpec(Pool),
    ProviderSpec(session, "job"),
    ProviderSpec(Table, "job"),
]


async def plan_of(call: Callable[..., object], container: Container, *seeds: object) -> Plan:
    return await container.compile(Request.of(call, scope="job", seeds=seeds))


def alone() -> None: ...
def simple(pool: Pool, ctx: Context, retries: int = 3) -> None: ...
def scoped(session: Session, table: Table, pool: Pool, ctx: Context) -> None: ...
def committing(session: Session) -> None: ...


async def test_a_handler_of_the_job_alone_needs_nothing() -> None:
    async with Container(PROVIDERS) as container:
        plan = await plan_of(alone, container)

    assert plan.is_empty
    assert plan.is_simple
    assert plan.fill({}) == {}


async def test_what_lives_as_long_as_the_process_needs_no_scope() -> None:
    async with Container(PROVIDERS) as container:
        plan = await plan_of(simple, container, Context)
        pool = await container.get(Pool)
    first, second = Context(), Context()

    assert not plan.is_empty
    assert plan.is_simple
    assert plan.seeds == {Context}
    assert plan.fill({Context: first}) == {"pool": pool, "ctx": first}
    assert plan.fill({Context: second})["ctx"] is second


async def test_a_seed_that_no_one_asks_for_need_not_be_made() -> None:
    async with Container(PROVIDERS) as container:
        plan = await plan_of(committing, container, Context)

    assert plan.seeds == frozenset()


async def test_job_scoped_things_are_shared_within_a_run_and_new_in_the_next() -> None:
    async with Container(PROVIDERS) as container:
        plan = await plan_of(scoped, container, Context)
        ctx = Context()
        first, first_scope = await plan.open({Context: ctx})
        second, second_scope = await plan.open({Context: ctx})
        await first_scope.close()
        await second_scope.close()

    assert not plan.is_simple
    assert plan.seeds == {Context}
    assert list(first) == ["pool", "ctx", "session", "table"]
    assert isinstance(first["table"], Table)
    assert first["table"].session is first["session"]
    assert first["table"].ctx is ctx
    assert first["session"] is not second["session"]
    assert first["pool"] is second["pool"]
    assert SEEN == ["begin", "begin", "commit", "commit"]


async def test_a_run_that_succeeds_commits() -> None:
    async with Container(PROVIDERS) as container:
        plan = await plan_of(committing, container)
        _, scope = await plan.open({})
        await scope.close(None)

    assert SEEN == ["begin", "commit"]


async def test_a_run_that_fails_rolls_back_and_keeps_its_error() -> None:
    async with Container(PROVIDERS) as container:
        plan = await plan_of(committing, container)
        _, scope = await plan.open({})
        await scope.close(KeyError("job"))

    assert SEEN == ["begin", "roll back KeyError"]


async def test_an_error_while_closing_replaces_the_runs_error_for_those_left() -> None:
    class Inner: ...

    def inner(session: Session) -> Iterator[Inner]:
        yield Inner()
        raise ValueError("flush failed")

    def handle(inner: Inner) -> None: ...

    async with Container([*PROVIDERS, ProviderSpec(inner, "job")]) as container:
        plan = await plan_of(handle, container, Context)
        _, scope = await plan.open({})

        with pytest.raises(ValueError, match="flush failed"):
            await scope.close(None)

    assert SEEN == ["begin", "roll back ValueError"]


async def test_a_generator_that_swallows_the_error_does_not_spare_the_others() -> None:
    class Inner: ...

    async def inner(session: Session) -> AsyncIterator[Inner]:
        try:
            yield Inner()
        except KeyError:
            SEEN.append("swallowed")

    def handle(inner: Inner) -> None: ...

    async with Container([*PROVIDERS, ProviderSpec(inner, "job")]) as container:
        plan = await plan_of(handle, container, Context)
        _, scope = await plan.open({})
        await scope.close(KeyError("job"))

    assert SEEN == ["begin", "swallowed", "roll back KeyError"]


async def test_a_provider_that_fails_to_open_rolls_the_others_back() -> None:
    class Inner: ...

    async def inner(session: Session) -> Inner:
        raise ConnectionError("refused")

    def handle(inner: Inner) -> None: ...

    async with Container([*PROVIDERS, ProviderSpec(inner, "job")]) as container:
        plan = await plan_of(handle, container, Context)

        with pytest.raises(ConnectionError, match="refused"):
            await plan.open({})

    assert SEEN == ["begin", "roll back ConnectionError"]


async def test_a_roll_back_is_not_cut_short_by_cancellation() -> None:
    async def slow() -> AsyncIterator[Session]:
        try:
            yield Session()
        finally:
            await anyio.lowlevel.checkpoint()
            SEEN.append("rolled back")

    async with Container([ProviderSpec(slow, "job")]) as container:
        plan = await plan_of(committing, container)
        with anyio.CancelScope() as cancelled:
            _, scope = await plan.open({})
            cancelled.cancel()
            try:
                await anyio.lowlevel.checkpoint()
            except BaseException as error:
                await scope.close(error)
                raise

    assert cancelled.cancelled_caught
    assert SEEN == ["rolled back"]


async def test_a_cancellation_during_the_commit_is_the_runs_error() -> None:
    async def slow(pool: Pool) -> AsyncIterator[Session]:
        yield Session()
        await anyio.sleep_forever()

    async with Container([ProviderSpec(Pool), ProviderSpec(slow, "job")]) as container:
        plan = await plan_of(committing, container)
        with anyio.CancelScope() as cancelled:
            _, scope = await plan.open({})
            cancelled.cancel()
            await scope.close(None)

    assert cancelled.cancelled_caught


async def test_a_generator_that_yields_twice_is_named() -> None:
    async def twice() -> AsyncIterator[Session]:
        yield Session()
        yield Session()

    async with Container([ProviderSpec(twice, "job")]) as container:
        plan = await plan_of(committing, container)
        _, scope = await plan.open({})
        with pytest.raises(RuntimeError, match="didn't stop") as caught:
            await scope.close(None)

    assert caught.value.__notes__[0].startswith("while twice (")


async def test_closing_a_scope_again_does_nothing() -> None:
    async with Container(PROVIDERS) as container:
        plan = await plan_of(committing, container)
        _, scope = await plan.open({})
        await scope.close()
        await scope.close()

    assert SEEN == ["begin", "commit"]
