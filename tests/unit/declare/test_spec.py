from collections.abc import Callable
from functools import wraps
from textwrap import dedent
from types import ModuleType
from typing import Annotated, Any, Generic, ParamSpec, TypeVar

import pytest
from pydantic import BaseModel

from framework.declare.handler import HandlerSpec
from framework.declare.processor import handles, processor
from framework.declare.spec import ProcessorSpec, resolve
from framework.di.signature import Parameter
from framework.errors import ProcessorError
from framework.model.job import Job

Write = Callable[[str, str], ModuleType]
T = TypeVar("T")
P = ParamSpec("P")


class Greet(BaseModel):
    name: str


class Sign(BaseModel):
    text: str


class Table: ...


HEAD = dedent(
    """
    from framework.declare.processor import handles, processor
    from framework.model.job import Job

    class Greet: ...
    class Sign: ...
    """
)


def handler_of(target: Callable[..., object]) -> HandlerSpec:
    (handler,) = resolve(target).handlers
    return handler


def complaint(write: Write, source: str, name: str = "Mail") -> str:
    shop = write("shop.mail", HEAD.lstrip("\n") + dedent(source))
    with pytest.raises(ProcessorError) as caught:
        resolve(getattr(shop, name))
    return str(caught.value)


def test_a_class_is_resolved_with_its_process() -> None:
    @processor("greetings", concurrency=5)
    class Greeter:
        def __init__(self, table: Table) -> None: ...

        async def process(self, job: Job[Greet], table: Table, retries: int = 3) -> str:
            raise NotImplementedError

    spec = resolve(Greeter)

    assert (spec.queue, spec.concurrency, spec.runs, spec.target) == (
        "greetings",
        5,
        "loop",
        Greeter,
    )
    assert spec.is_class
    assert spec.title == f"{__name__}.Greeter"
    assert spec.request().parameters == (Parameter("table", Table),)
    assert spec.handlers == (
        HandlerSpec(
            name=None,
            attribute="process",
            payload=Greet,
            result=str,
            parameters=(Parameter("table", Table), Parameter("retries", int, 3)),
            is_async=True,
            title="Greeter.process",
            where=spec.handlers[0].where,
        ),
    )
    assert f"{__file__}:" in spec.where or spec.where.startswith("tests/")
    assert hash(spec) == hash(resolve(Greeter))


def test_a_function_is_resolved_as_it_is() -> None:
    @processor("greetings")
    async def greet(job: Job[Greet], table: Table) -> str:
        raise NotImplementedError

    spec = resolve(greet)

    assert not spec.is_class
    assert spec.request().parameters == ()
    assert spec.hooks == ()
    assert spec.handlers[0].attribute == ""
    assert spec.handlers[0].parameters == (Parameter("table", Table),)


def test_a_handler_asks_the_container_for_the_rest() -> None:
    @processor("greetings")
    async def greet(job: Job[Greet], table: Table) -> str:
        raise NotImplementedError

    request = handler_of(greet).request([Table])

    assert (request.asked_by, request.scope) == ("greet", "job")
    assert request.seeds == {Table}
    assert request.parameters == (Parameter("table", Table),)


def test_named_handlers_come_before_the_one_for_the_rest() -> None:
    @processor("mixed")
    class Mixed:
        async def process(self, job: Job[Any]) -> None: ...

        @handles("hello")
        @handles("hi")
        async def greet(self, job: Job[Greet]) -> str:
            raise NotImplementedError

        @handles("sign")
        async def sign(self, job: Job[Sign]) -> None: ...

    spec = resolve(Mixed)

    assert [(one.name, one.attribute) for one in spec.handlers] == [
        ("hello", "greet"),
        ("hi", "greet"),
        ("sign", "sign"),
        (None, "process"),
    ]
    assert [spec.job_name(one) for one in spec.handlers] == ["hello", "hi", "sign", None]


def test_handlers_and_process_are_inherited() -> None:
    class Base(Generic[T]):
        async def process(self, job: Job[T]) -> list[T]:
            raise NotImplementedError

        @handles("sign")
        async def sign(self, job: Job[Sign]) -> None: ...

    @processor("greetings")
    class Greeter(Base[Greet]): ...

    sign, process = resolve(Greeter).handlers

    assert (sign.name, sign.payload) == ("sign", Sign)
    assert (process.payload, process.result) == (Greet, list[Greet])


def test_a_wrapped_method_is_seen_through() -> None:
    def traced(method: Callable[P, T]) -> Callable[P, T]:
        @wraps(method)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
            return method(*args, **kwargs)

        return wrapper

    @processor("greetings")
    class Greeter:
        @traced
        async def process(self, job: Job[Greet], table: Table) -> str:
            raise NotImplementedError

    handler = handler_of(Greeter)

    assert handler.is_async
    assert handler.parameters == (Parameter("table", Table),)


@pytest.mark.parametrize(
    ("job", "payload"),
    [
        (Job, Any),
        (Job[Any], Any),
        (Job[object], object),
        (Job[dict[str, Any]], dict[str, Any]),
        (Job[Greet | Sign], Greet | Sign),
        (Annotated[Job[Greet], "x"], Greet),
        (Job[Greet, str], Greet),
    ],
)
def test_the_payload_is_what_the_job_holds(job: object, payload: object) -> None:
    async def greet(job: object) -> str:
        raise NotImplementedError

    greet.__annotations__["job"] = job
    handler = handler_of(processor("greetings")(greet))

    assert handler.payload == payload
    assert handler.is_typed == (payload not in {Any, object})


def test_a_result_that_is_not_told_is_an_object() -> None:
    @processor("greetings")
    async def greet(job: Job[Greet]):  # type: ignore[no-untyped-def]  # noqa: ANN202  # the point
        raise NotImplementedError

    assert handler_of(greet).result is object


def test_a_plain_def_runs_where_it_says() -> None:
    @processor("thumbnails", run_in="thread")
    class Thumbnails:
        def process(self, job: Job[Greet]) -> str:
            raise NotImplementedError

    spec = resolve(Thumbnails)

    assert spec.runs == "thread"
    assert not spec.handlers[0].is_async


def test_jobs_for_process_have_the_name_that_the_processor_gives() -> None:
    @processor("greetings")
    class Greeter:
        async def process(self, job: Job[Greet]) -> None: ...

    @processor("greetings", name="hello")
    async def greet(job: Job[Greet]) -> None: ...

    def name(spec: ProcessorSpec) -> str | None:
        return spec.job_name(spec.handlers[0])

    assert name(resolve(Greeter)) == "greet"
    assert name(resolve(greet)) == "hello"


def test_what_is_no_processor_is_refused(write: Write) -> None:
    assert complaint(write, "class Mail: ...") == (
        'shop/mail.py:6: shop.mail.Mail is no processor. Put @processor("queue") on it'
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "async def work(self, job: Job[Greet]) -> None: ...",
            "shop/mail.py:6: Mail has nothing that runs a job. "
            "Write async def process(self, job: Job[Reminder]), "
            'or methods with @handles("name")',
        ),
        (
            "async def process(self) -> None: ...",
            "shop/mail.py:8: Mail.process takes no job. "
            "Write async def process(self, job: Job[Reminder]), "
            "with your payload's type for Reminder",
        ),
        (
            "async def process(self, job: Greet) -> None: ...",
            "shop/mail.py:8: Mail.process(job: Greet): the first parameter is no job. "
            "Write async def process(self, job: Job[Greet])",
        ),
        (
            "async def process(self, job) -> None: ...",
            "shop/mail.py:8: Mail.process(job: object): the first parameter is no job. "
            "Write async def process(self, job: Job[Reminder])",
        ),
        (
            "async def process(self, *, job: Job[Greet]) -> None: ...",
            "shop/mail.py:8: Mail.process(job: Job[Greet]): the first parameter is no job. "
            "Write async def process(self, job: Job[Reminder])",
        ),
        (
            "async def process(self, job: Job[Greet], table) -> None: ...",
            "shop/mail.py:8: Mail.process(table): table has no annotation. "
            "Write its type, as in table: Smtp; what is injected is found by it",
        ),
        (
            'async def process(self, job: "Job[Missing]") -> None: ...',
            "shop/mail.py:8: Mail.process(job: Job[Missing]): Missing is not defined when the "
            "annotation is read. Define or import Missing at module level, "
            "not under `if TYPE_CHECKING:`",
        ),
        (
            "async def process(self, job: Job[Greet], **more: int) -> None: ...",
            "shop/mail.py:8: Mail.process(**more): nothing can be injected into **more. "
            "Name each parameter with its type, or write a @provider function that calls it",
        ),
        (
            "async def process(self, job: Job[Greet]) -> None:\n        yield 1",
            "shop/mail.py:8: Mail.process yields. A job has one result: return it, "
            "and report steps with ctx.progress(…)",
        ),
        (
            "def process(self, job: Job[Greet]) -> None: ...",
            "shop/mail.py:8: Mail.process is a plain def and would block the event loop. "
            'Write async def, or say where it runs: @processor("mail", run_in="thread") for '
            'blocking calls, run_in="loop" if it never takes long',
        ),
        (
            "async def process(self, job: Job[Greet, int]) -> str: ...",
            "shop/mail.py:8: Mail.process(job: Job[Greet, int]) -> str: the job promises int. "
            "Write Job[Greet], or return what it promises",
        ),
        (
            "@staticmethod\n    async def process(job: Job[Greet]) -> None: ...",
            "shop/mail.py:8: Mail.process is no plain method. Write async def process(self, …)",
        ),
        (
            "process = 3",
            "shop/mail.py:6: Mail.process is no plain method. Write async def process(self, …)",
        ),
        (
            '@handles("x")\n    async def process(self, job: Job[Greet]) -> None: ...',
            "shop/mail.py:8: Mail.process has @handles, but takes every other name. "
            "Rename the method, or remove @handles",
        ),
        (
            '@staticmethod\n    @handles("x")\n    async def x(job: Job[Greet]) -> None: ...',
            "shop/mail.py:8: Mail.x is no plain method. Write async def x(self, …)",
        ),
        (
            '@handles("x")\n    async def a(self, job: Job[Greet]) -> None: ...\n'
            '    @handles("x")\n    async def b(self, job: Job[Sign]) -> None: ...',
            "shop/mail.py:10: Mail.a (shop/mail.py:8) and Mail.b both take jobs named "
            '"x". Give one of them another name',
        ),
        (
            '@handles("sign")\n    async def a(self, job: Job[Greet]) -> None: ...\n'
            "    async def process(self, job: Job[Sign]) -> None: ...",
            "shop/mail.py:10: Mail.a (shop/mail.py:8) and Mail.process both take jobs named "
            '"sign". Name those of Mail.process: @processor("mail", name=…)',
        ),
    ],
)
def test_a_class_of_the_wrong_shape_is_told_how_to_mend_it(
    write: Write, body: str, text: str
) -> None:
    assert complaint(write, f'@processor("mail")\nclass Mail:\n    {body}\n') == text


def test_a_payload_that_is_left_open_is_refused(write: Write) -> None:
    source = """
        from typing import Generic, TypeVar

        T = TypeVar("T")

        class Base(Generic[T]):
            async def process(self, job: Job[T]) -> None: ...

        @processor("mail")
        class Mail(Base): ...
        """

    assert complaint(write, source) == (
        "shop/mail.py:12: Base.process(job: Job[T]): the payload's type is left open. "
        "Name it in the base class, as in class Mail(Base[Reminder])"
    )


def test_an_async_def_cannot_run_in_a_thread(write: Write) -> None:
    source = """
        @processor("mail", run_in="thread")
        async def mail(job: Job[Greet]) -> None: ...
        """

    assert complaint(write, source, "mail") == (
        "shop/mail.py:7: mail is an async def and cannot run in a thread. "
        'Leave out run_in="thread", or write a plain def'
    )


def test_a_function_that_takes_no_job_is_told_without_self(write: Write) -> None:
    source = """
        @processor("mail")
        async def mail() -> None: ...
        """

    assert complaint(write, source, "mail") == (
        "shop/mail.py:7: mail takes no job. "
        "Write async def mail(job: Job[Reminder]), with your payload's type for Reminder"
    )


def test_what_runs_in_a_process_must_be_importable(write: Write) -> None:
    source = """
        def make():
            @processor("mail", run_in="process")
            def mail(job: Job[Greet]) -> None: ...
            return mail

        mail = make()
        """

    assert complaint(write, source, "mail") == (
        "shop/mail.py:8: mail runs in a process, which cannot import it. Define it at module level"
    )


def test_what_runs_in_a_process_stands_in_no_program_that_is_started(write: Write) -> None:
    source = """
        @processor("mail", run_in="process")
        def mail(job: Job[Greet]) -> None: ...

        mail.__module__ = "__main__"
        """

    assert complaint(write, source, "mail") == (
        "shop/mail.py:7: mail runs in a process, which cannot import the program that was "
        "started. Put it into a module of its own, and import that"
    )


def test_payloads_may_be_defined_later_in_the_module(write: Write) -> None:
    shop = write(
        "shop.mail",
        HEAD
        + dedent(
            """
            @processor("mail")
            async def mail(job: "Job[Later]") -> None: ...

            class Later: ...
            """
        ),
    )

    assert handler_of(shop.mail).payload is shop.Later
