"""What users write, as both type checkers must see it: mypy and pyright read this file."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, assert_type

from pydantic import BaseModel, Field

from framework import (
    Active,
    Application,
    Completed,
    Context,
    Cron,
    Deduplication,
    Every,
    Exponential,
    Failed,
    Flow,
    FlowProducer,
    FlowTree,
    HeldJob,
    Job,
    JobOptions,
    JobScheduler,
    JobState,
    KeepJobs,
    Limiter,
    Named,
    Producer,
    Queue,
    QueueEvent,
    Route,
    Schedule,
    SyncContext,
    SyncFlowProducer,
    SyncProducer,
    UnrecoverableError,
    cron,
    handles,
    on_event,
    on_queue_event,
    processor,
    provider,
    route,
)


# 1. An echo job, with a hook.
class Greet(BaseModel):
    name: str


@processor("greetings", concurrency=5)
class Greeter:
    async def process(self, job: Job[Greet]) -> str:
        assert_type(job.data, Greet)
        return f"Hello, {job.data.name}!"

    @on_event("completed")
    async def note(self, event: Completed[Greet, str]) -> None:
        assert_type(event.job, Job[Greet, str])
        assert_type(event.result, str)

    @on_event("active")
    def begun(self, event: Active[Greet]) -> None:
        assert_type(event.job.data, Greet)

    @on_queue_event("completed")
    def heard(self, event: QueueEvent) -> None:
        assert_type(event.result, object)


# A decorator returns what it was given: constructors and methods stay visible.
async def greet_by_hand(job: Job[Greet]) -> None:
    assert_type(await Greeter().process(job), str)


# 2. Delayed.
class Reminder(BaseModel):
    user_id: int
    text: str = Field(max_length=280)


async def remind_tomorrow(reminders: Producer[Reminder], user_id: int) -> None:
    job = await reminders.add(
        Reminder(user_id=user_id, text="Water the fern."), delay=timedelta(days=1)
    )
    assert_type(job, Job[Reminder, object])


# 3. Retries with exponential backoff, and an error that no retry can mend.
class Charge(BaseModel):
    cents: int = Field(gt=0)


class CardDeclinedError(Exception):
    pass


class Gateway:
    async def charge(self, cents: int, *, key: str) -> str:
        return f"{key}:{cents}"


@processor(
    "payments",
    defaults=JobOptions(attempts=5, backoff=Exponential(timedelta(seconds=1), jitter=0.5)),
    limiter=Limiter(max=10, duration=timedelta(seconds=1)),
)
class Payments:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def process(self, job: Job[Charge]) -> str:
        try:
            return await self.gateway.charge(job.data.cents, key=job.id)
        except CardDeclinedError as error:
            raise UnrecoverableError("card declined") from error

    @on_event("failed")
    async def page_someone(self, event: Failed[Charge]) -> None:
        if not event.will_retry:
            assert_type(event.error, BaseException)
            assert_type(event.retry_delay, timedelta | None)


# 4. Progress.
class ImportRows(BaseModel):
    rows: list[str]


class Table:
    async def insert(self, row: str) -> None: ...


@processor("imports")
class Imports:
    async def process(self, job: Job[ImportRows], ctx: Context, table: Table) -> int:
        total = len(job.data.rows)
        for done, row in enumerate(job.data.rows, start=1):
            await table.insert(row)
            await ctx.progress(100 * done // total)
        await ctx.log("done")
        saved = await ctx.save(job, ImportRows(rows=[]))
        assert_type(saved, Job[ImportRows, object])
        return total


# 7. A result where one is awaited.
async def greeting(greetings: Producer[Greet, str], name: str) -> str:
    job = await greetings.add(Greet(name=name), attempts=3, remove_on_complete=KeepJobs(count=9))
    assert_type(job, Job[Greet, str])
    assert_type(job.result, str | None)
    jobs = await greetings.add_bulk([Greet(name=name)], priority=1)
    assert_type(jobs, Sequence[Job[Greet, str]])
    assert_type(await greetings.result(jobs[0], timeout=timedelta(seconds=5)), str)
    return await greetings.result(job)


# 5. A job of steps: it leaves, and goes on later.
class Trial(BaseModel):
    is_welcomed: bool = False


async def welcome(trial: Trial) -> str:
    return repr(trial)


@processor("trials", backoffs={"bank": lambda attempt, _error, _job: timedelta(seconds=attempt)})
class Trials:
    async def process(self, job: Job[Trial], ctx: Context) -> int:
        if not job.data.is_welcomed:
            job = await ctx.save(job, Trial(is_welcomed=True))
            assert_type(job, Job[Trial])
            await ctx.delay_for(timedelta(days=14))
        assert_type(await ctx.step("welcome", welcome, job.data), str)
        assert_type(await ctx.children_values(int), dict[str, int])
        assert_type(await ctx.ignored_children(), dict[str, str])
        return ctx.attempt


async def work_by_hand(queue: Queue) -> timedelta | None:
    held = await queue.next_job("token", lock_duration=timedelta(minutes=1))
    assert_type(held, HeldJob | None)
    if held is None or await held.wait_for_children():
        return None
    return await held.fail("no paper")


# 6. A flow, known beforehand: added whole or not at all.
class Page(BaseModel):
    url: str


class Digest(BaseModel):
    urls: list[str]


@processor("digests")
class Digests:
    def __init__(self, pages: Producer[Page, str]) -> None:
        self.pages = pages

    async def process(self, job: Job[Digest], ctx: Context) -> str:
        for n, url in enumerate(job.data.urls):
            page = await self.pages.add(Page(url=url), parent=job, job_id=f"{job.id}-page-{n}")
            assert_type(page, Job[Page, str])
        await ctx.wait_for_children()
        pages = await ctx.children_values(str)
        return "\n".join(pages.values())


async def order_digest(flows: FlowProducer, urls: list[str]) -> Job[Digest]:
    pages = [Flow(Page(url=url), attempts=3) for url in urls]
    assert_type(pages[0], Flow[Page])
    await flows.add_bulk([Flow(Digest(urls=urls), pages), Flow.named("mail", "letter", {"to": 1})])
    tree = await flows.get_flow("digests", "1")
    assert_type(tree, FlowTree | None)
    return await flows.add(Flow(Digest(urls=urls), pages, on_child_failure="ignore"))


async def at_most_once(pages: Producer[Page], queue: Queue) -> None:
    same = Deduplication("page", ttl=timedelta(hours=1), keep_last_if_active=True)
    await pages.add(Page(url="x"), deduplication=same)
    assert_type(await queue.children_values("1", int), dict[str, int])
    assert_type(await queue.children_values("1"), dict[str, Any])


def order_digest_in_a_thread(flows: SyncFlowProducer, urls: list[str]) -> Job[Digest]:
    return flows.add(Flow(Digest(urls=urls), [Flow(Page(url=url)) for url in urls]))


# 8. Blocking work in a thread.
@dataclass
class Photo:
    path: str


@processor("thumbnails", run_in="thread", concurrency=8)
class Thumbnails:
    def __init__(self, greetings: SyncProducer[Greet, str]) -> None:
        self.greetings = greetings

    def process(self, job: Job[Photo], ctx: SyncContext) -> str:
        ctx.progress(50)
        assert_type(self.greetings.result(self.greetings.add(Greet(name="x"))), str)
        return job.data.path


# 9. A session per job.
class Session:
    def add(self, thing: object) -> None: ...


@provider(scope="job")
async def session() -> AsyncIterator[Session]:
    yield Session()


@provider
def gateway() -> Gateway:
    return Gateway()


class Signup(BaseModel):
    email: str


@processor("signups")
class Signups:
    async def process(self, job: Job[Signup], session: Session) -> None:
        session.add(job.data.email)


# A function, several names on one queue, a queue by its name, a route to another program.
@processor("numbers")
async def double(job: Job[int, int]) -> int:
    return 2 * job.data


@processor("mixed")
class Mixed:
    @handles("photo")
    async def photo(self, job: Job[Photo]) -> None: ...

    @handles("signup")
    async def signup(self, job: Job[Signup]) -> str:
        return job.data.email

    async def process(self, job: Job[Any]) -> None: ...


invoices = route("billing", Charge)


class Desk:
    def __init__(
        self,
        demo: Annotated[Queue, Named("demo")],
        charges: Annotated[Producer[Charge], Route("billing")],
    ) -> None:
        self.demo = demo
        self.charges = charges

    async def look(self) -> None:
        assert_type(await self.demo.counts(), dict[JobState, int])
        assert_type(await self.demo.job("1"), Job[Any, Any] | None)
        assert_type(await self.demo.state("1"), JobState)
        assert_type(await self.charges.add(Charge(cents=1)), Job[Charge, object])


async def inside_any_program() -> None:
    async with Application("shop") as app:
        assert_type(await app.get(Gateway), Gateway)
        assert_type(app.queue("demo"), Queue)
        producer = await app.get(Producer[Greet, str])
        assert_type(producer, Producer[Greet, str])


# Jobs at set times, declared and by hand.
pulse = Schedule("pulse", Every(timedelta(minutes=5)), Greet(name="Ada"), attempts=3)
assert_type(pulse, Schedule[Greet])


@cron("0 9 * * MON-FRI", tz="Europe/Rome", overlap="skip")
@processor("nightly")
async def nightly(job: Job[None]) -> int:
    return 1


async def schedule_by_hand(demo: Queue) -> None:
    assert_type(await demo.upsert_job_scheduler("s", Cron("0 9 * * *"), limit=3), str)
    assert_type(await demo.job_scheduler("s"), JobScheduler | None)
    assert_type(await demo.job_schedulers(), list[JobScheduler])


# A job is read only, so a job of more may stand for a job of less.
def of_anything(job: Job[object]) -> str:
    return job.name


def of_greetings(job: Job[Greet, str]) -> str:
    return of_anything(job)
