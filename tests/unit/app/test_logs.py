"""Lines look the same whichever way they go, and all of them come where logging sends them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from framework.app.logs import set_up_logs
from framework.app.settings import Settings
from framework.model.job import Job, JobId
from framework.worker.current import CURRENT


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where all lines go, of a worker that runs a job."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    running = CURRENT.set(Job(JobId("7"), "demo", "greet", None, attempts_made=1))
    set_up_logs(Settings(log_format="json"), stream, worker=3)
    yield stream
    CURRENT.reset(running)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


JOB = {"worker": 3, "job": "7", "queue": "demo", "name": "greet", "attempt": 2}


def test_each_line_of_a_job_says_which_job_it_is(stream: io.StringIO) -> None:
    log = structlog.get_logger("shop")

    with structlog.contextvars.bound_contextvars(request="r1"):
        log.info("said %s", "hello", price=object, name="mine")
        log.warning("said louder")
        logging.getLogger("shop").info("said %s", "otherwise")
        log.debug("not said")

    straight, warning, record = lines_of(stream)
    assert list(straight)[:3] == list(warning)[:3] == ["timestamp", "level", "message"]
    assert straight.pop("timestamp") <= warning.pop("timestamp") <= record.pop("timestamp")
    told = {"level": "info", "message": "said hello", "request": "r1", "price": str(object)}
    assert straight == {**JOB, **told, "name": "mine"}
    assert warning == {**JOB, "level": "warning", "message": "said louder", "request": "r1"}
    assert record == {**JOB, "level": "info", "message": "said otherwise", "request": "r1"}


def test_a_line_of_information_may_hold_an_error(stream: io.StringIO) -> None:
    log = structlog.get_logger("shop")

    log.info("went wrong", exc_info=ValueError("odd"))

    (line,) = lines_of(stream)
    assert "ValueError: odd" in line["exception"]


@pytest.mark.parametrize("place", ["", "shop", "shop.orders"])
def test_a_handler_of_the_users_gets_each_line(stream: io.StringIO, place: str) -> None:
    log, handler = structlog.get_logger("shop.orders"), Kept()
    log.info("before")
    logging.getLogger(place).addHandler(handler)

    log.info("taken")

    logging.getLogger(place).removeHandler(handler)
    assert [line["message"] for line in lines_of(stream)] == ["before", "taken"]
    assert [record.msg["event"] for record in handler.records] == ["taken"]  # type: ignore[index]  # structlog's


def test_a_level_of_the_users_is_kept(stream: io.StringIO) -> None:
    log = structlog.get_logger("shop.quiet")
    logging.getLogger("shop.quiet").setLevel(logging.WARNING)

    log.info("hidden")
    log.warning("shown")

    logging.getLogger("shop.quiet").setLevel(logging.NOTSET)
    assert [line["message"] for line in lines_of(stream)] == ["shown"]


def test_a_broken_stream_fails_no_job(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    stream.close()

    structlog.get_logger("shop").info("lost")
