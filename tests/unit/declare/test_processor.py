from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import assert_type

import pytest
from pydantic import BaseModel

from framework.declare.mark import Limiter, ProcessorMark, mark_of
from framework.declare.processor import handles, processor
from framework.errors import ProcessorError
from framework.model.job import Job
from framework.model.options import JobOptions

Write = Callable[[str, str], ModuleType]
SECOND = timedelta(seconds=1)


class Greet(BaseModel):
    name: str


def test_a_class_stays_the_class() -> None:
    class Greeter:
        async def process(self, job: Job[Greet]) -> str:
            raise NotImplementedError

    marked = processor("greetings", concurrency=5)(Greeter)

    assert_type(marked, type[Greeter])
    assert marked is Greeter
    assert mark_of(Greeter) == ProcessorMark(queue="greetings", concurrency=5)


def test_a_function_stays_the_function() -> None:
    @processor("greetings", limiter=Limiter(10, SECOND), defaults=JobOptions(attempts=3))
    async def greet(job: Job[Greet]) -> str:
        raise NotImplementedError

    mark = mark_of(greet)
    assert mark is not None
    assert mark.defaults == {"attempts": 3}
    assert mark.limiter == Limiter(max=10, duration=SECOND)
    assert hash(mark) == hash(mark)


def test_the_defaults_are_bullmqs() -> None:
    mark = ProcessorMark(queue="greetings")

    assert mark.concurrency == 1
    assert mark.lock_duration == mark.stalled_interval == timedelta(seconds=30)
    assert (mark.run_in, mark.limiter, mark.name, mark.defaults) == (None, None, None, {})


def test_a_subclass_inherits_no_mark() -> None:
    @processor("greetings")
    class Greeter: ...

    class Politer(Greeter): ...

    assert mark_of(Politer) is None
    assert mark_of("Greeter") is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            '""',
            '"" cannot name a queue. Use a name that is not empty and has no colon',
        ),
        (
            '"a:b"',
            '"a:b" cannot name a queue. Use a name that is not empty and has no colon',
        ),
        (
            '"mail", concurrency=0',
            "concurrency=0. Write a whole number, at least 1: how many jobs run at once",
        ),
        (
            '"mail", concurrency=1.5',
            "concurrency=1.5. Write a whole number, at least 1: how many jobs run at once",
        ),
        (
            '"mail", run_in="fork"',
            'run_in=\'fork\'. Write "loop", "thread" or "process"',
        ),
        (
            '"mail", lock_duration=30',
            "lock_duration=30. Write a timedelta of at least a millisecond, "
            "as in timedelta(seconds=30)",
        ),
        (
            '"mail", stalled_interval=timedelta(0)',
            "stalled_interval=datetime.timedelta(0). "
            "Write a timedelta of at least a millisecond, as in timedelta(seconds=30)",
        ),
        (
            '"mail", max_started_attempts=0',
            "max_started_attempts=0. "
            "Write a whole number, at least 1: how often a job may be started",
        ),
        (
            '"mail", backoffs=5',
            'backoffs=5. Give each a name, as in backoffs={"bank": wait_for_bank}',
        ),
        (
            '"mail", limiter=5',
            "limiter=5. Write Limiter(max=100, duration=timedelta(seconds=1)), say",
        ),
        (
            '"mail", backoffs={"fixed": print}',
            "backoffs={'fixed': ...}. "
            '"fixed" and "exponential" are there; give yours another name',
        ),
        (
            '"mail", backoffs={"bank": 5}',
            "backoffs={'bank': 5}. Write a plain function (attempt, error, job) -> timedelta, "
            "or None for no retry",
        ),
        (
            '"mail", max_stalled_count=-1',
            "max_stalled_count=-1. "
            "Write a whole number, at least 0: how often a job may stall; None for always",
        ),
        (
            '"mail", remove_on_fail=5',
            "remove_on_fail=5. Write KeepJobs(count=1000), say, True for none, or False for all",
        ),
        (
            '"mail", name=""',
            "a job's name is text and not empty, got ''. Write it as in \"send-mail\"",
        ),
    ],
)
def test_an_argument_that_cannot_work_is_refused_where_it_stands(
    write: Write, arguments: str, text: str
) -> None:
    source = f"""
        from datetime import timedelta
        from framework.declare.processor import processor

        @processor({arguments})
        class Mail: ...
        """

    with pytest.raises(ProcessorError) as caught:
        write("shop.mail", source)

    assert str(caught.value) == f"shop/mail.py:4: {text}"


def test_a_decorator_without_its_queue_is_told_apart(write: Write) -> None:
    source = """
        from framework.declare.processor import processor

        @processor
        class Mail: ...
        """

    with pytest.raises(ProcessorError) as caught:
        write("shop.mail", source)

    assert str(caught.value) == (
        "shop/mail.py:3: a queue's name is text, got <class 'shop.mail.Mail'>. "
        'Write its name first: @processor("mail")'
    )


def test_what_is_neither_class_nor_function_is_refused() -> None:
    with pytest.raises(ProcessorError) as caught:
        processor("mail")(len)

    assert str(caught.value).endswith(
        ": @processor cannot mark a builtin_function_or_method. "
        "Put it on a class with process(self, job, …), or on a function"
    )


def test_a_limiter_that_lets_nothing_through_is_refused() -> None:
    with pytest.raises(ProcessorError) as caught:
        Limiter(max=0, duration=SECOND)

    assert str(caught.value) == (
        "Limiter(max=0, duration=datetime.timedelta(seconds=1)) lets no job through. "
        "Allow at least one job in at least a millisecond"
    )


def test_a_method_stays_the_method() -> None:
    async def send(self: object, job: Job[Greet]) -> str:
        raise NotImplementedError

    assert handles("send")(send) is send


def test_handles_refuses_what_is_no_method(write: Write) -> None:
    source = """
        from framework.declare.processor import handles

        class Mail:
            @handles("send")
            @staticmethod
            async def send(job) -> None: ...
        """

    with pytest.raises(ProcessorError) as caught:
        write("shop.mail", source)

    assert str(caught.value) == (
        "shop/mail.py:4: @handles cannot mark a staticmethod. "
        "Put it on a plain method of a processor class"
    )


def test_handles_refuses_an_empty_name(write: Write) -> None:
    source = """
        from framework.declare.processor import handles

        class Mail:
            @handles("")
            async def send(self, job) -> None: ...
        """

    with pytest.raises(ProcessorError) as caught:
        write("shop.mail", source)

    assert str(caught.value) == (
        "shop/mail.py:4: a job's name is text and not empty, got ''. Write it as in \"send-mail\""
    )
