"""What the public methods say of themselves."""

import inspect
from collections.abc import Iterator

import pytest

from framework import (
    Context,
    FlowProducer,
    HeldJob,
    Producer,
    Queue,
    SyncContext,
    SyncFlowProducer,
    SyncProducer,
)

PRODUCERS = (Producer, SyncProducer, FlowProducer, SyncFlowProducer)
CLASSES = (Queue, *PRODUCERS, HeldJob, Context, SyncContext)


def methods() -> Iterator[tuple[str, str]]:
    """Yield each public method's full name and what it says."""
    for one in CLASSES:
        for name, method in inspect.getmembers(one, inspect.isfunction):
            if not name.startswith("_"):
                yield f"{one.__name__}.{name}", inspect.getdoc(method) or ""


@pytest.mark.parametrize(("method", "says"), list(methods()), ids=[name for name, _ in methods()])
def test_each_public_method_says_what_other_clients_see_of_it(method: str, says: str) -> None:
    assert "Wire:" in says or "see `" in says, f"{method} says nothing of keys, fields or events"
