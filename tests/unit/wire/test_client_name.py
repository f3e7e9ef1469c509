"""How workers are called, as BullMQ reads it."""

import pytest

from framework.wire.client_name import name_in, worker_name
from framework.wire.keys import QueueKeys

KEYS = QueueKeys("bull", "f1")


def test_a_worker_is_called_as_bullmq_calls_its_own() -> None:
    assert worker_name(KEYS, "host:7") == "bull:ZjE=:w:host:7"


def test_a_name_holds_nothing_that_redis_refuses() -> None:
    assert worker_name(QueueKeys("my bull", "f1"), "Adas\nMac é") == "my-bull:ZjE=:w:Adas-Mac--"


@pytest.mark.parametrize(
    ("client_name", "name"),
    [
        ("bull:ZjE=:w:host:7", "host:7"),
        ("bull:ZjE=", ""),
        ("bull:ZjE=:qe", None),
        ("bull:ZjI=:w:host", None),
        ("", None),
    ],
)
def test_workers_of_a_queue_are_told_from_other_connections(
    client_name: str, name: str | None
) -> None:
    assert name_in(KEYS, client_name) == name
