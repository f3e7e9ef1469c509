"""What is written of an error."""

import json

import pytest

from framework.errors import PayloadError
from framework.wire.failure import MOST_CHARACTERS, reason_of, stacktrace_json, trace_of


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


def raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_a_reason_is_the_errors_text() -> None:
    assert reason_of(ValueError("boom")) == "boom"


def test_an_error_without_a_text_is_named() -> None:
    assert reason_of(ValueError()) == "ValueError"


def test_an_error_that_cannot_be_printed_is_named() -> None:
    assert reason_of(UnprintableError()) == "UnprintableError"


def test_a_group_of_one_is_that_one() -> None:
    assert reason_of(ExceptionGroup("g", [ExceptionGroup("h", [ValueError("boom")])])) == "boom"


def test_half_a_character_is_replaced() -> None:
    assert reason_of(ValueError("a\ud800b")) == "a?b"


def test_a_trace_names_the_place_and_the_error() -> None:
    trace = trace_of(raised(ValueError("boom")))

    assert "test_failure.py" in trace
    assert trace.rstrip().endswith("ValueError: boom")


def test_bad_data_needs_no_trace() -> None:
    assert trace_of(raised(PayloadError("does not fit"))) == "PayloadError: does not fit"


def test_a_long_trace_keeps_its_end() -> None:
    trace = trace_of(raised(ValueError("x" * 50_000 + "end")))

    assert len(trace) == MOST_CHARACTERS
    assert trace.rstrip().endswith("end")


def test_the_newest_traces_are_kept() -> None:
    rows = json.loads(stacktrace_json(["a", "b"], ValueError("c"), 2))

    assert rows[0] == "b"
    assert "ValueError: c" in rows[1]


def test_no_trace_is_kept_where_none_is_wanted() -> None:
    assert json.loads(stacktrace_json(["a"], ValueError("c"), 0)) == []


def test_all_traces_are_kept_where_nothing_is_said() -> None:
    assert len(json.loads(stacktrace_json(["a", "b"], ValueError("c"), None))) == 3
