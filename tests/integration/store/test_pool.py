"""The shared connections of a process: as many as are needed, and no longer than that."""

from pathlib import Path

import anyio
import pytest

from framework.store import connections
from framework.store.store import Store
from tests.support.servers import Server, one_server
from tests.support.until import until


def clients_of(server: Server) -> int:
    """How many there are, beside the one that asks."""
    return int(server.says("connected_clients")) - 1


async def test_connections_that_a_burst_needed_are_closed_once_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.1)
    with one_server(tmp_path) as server:
        async with Store(server.url) as store:
            async with anyio.create_task_group() as tasks:
                for _ in range(20):
                    tasks.start_soon(store.command, "PING")
            most = clients_of(server)

            async def are_few() -> bool:
                await store.command("PING")
                return clients_of(server) == 1

            await until(are_few, message="one is left")

    assert most == 20
