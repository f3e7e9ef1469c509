"""What workers say of the server that they find."""

from pathlib import Path
from time import monotonic
from typing import Any

from structlog.testing import capture_logs

from framework import Job, processor
from framework.app.application import Application
from framework.model.clock import SystemClock
from framework.server import EmbeddedServer
from framework.store.store import Store
from framework.worker.server_care import ServerCare
from tests.support.apps import declared, settings_of, working
from tests.support.servers import Server, one_server, wait_for

EVICTING = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")


class Ahead(SystemClock):
    """A machine whose clock is wrong."""

    def now_ms(self) -> int:
        return super().now_ms() + 5000


@processor("demo")
async def nothing(job: Job[int]) -> None: ...


async def said_by(store: Store) -> list[Any]:
    """What one look at a server leads to."""
    with capture_logs() as logs:
        await ServerCare(store, ["t:demo:marker"]).look()
    return list(logs)


async def test_workers_on_a_server_that_evicts_say_so_at_once(tmp_path: Path) -> None:
    with one_server(tmp_path, *EVICTING) as server, capture_logs() as logs:
        async with working(Application(declared(nothing), settings=settings_of(server.url, "t"))):
            pass

    (told,) = [one for one in logs if "evict" in one["event"]]
    assert (told["log_level"], told["maxmemory_policy"]) == ("error", "allkeys-lru")
    assert "noeviction" in told["fix"]
    assert str(server.port) in told["redis"]


async def test_a_server_that_forbids_config_is_judged_all_the_same(tmp_path: Path) -> None:
    with one_server(tmp_path, *EVICTING) as server:
        server.ask("ACL", "SETUSER", "default", "-config")
        async with Store(server.url) as store:
            logs = await said_by(store)

    assert [one["log_level"] for one in logs if "evict" in one["event"]] == ["error"]


async def test_who_may_not_look_is_told_once(tmp_path: Path) -> None:
    with one_server(tmp_path, *EVICTING) as server:
        server.ask("ACL", "SETUSER", "default", "-info")
        async with Store(server.url) as store:
            care = ServerCare(store, ["t:demo:marker"])
            with capture_logs() as logs:
                await care.look()
                await care.look()

    assert [(one["log_level"], one["fix"]) for one in logs] == [("info", "allow +info and +time")]
    assert "info" in logs[0]["error"]


async def test_memory_that_runs_out_is_told(tmp_path: Path) -> None:
    with one_server(tmp_path) as server:
        used = int(server.says("used_memory"))
        server.ask("CONFIG", "SET", "maxmemory", int(used * 1.03))
        async with Store(server.url) as store:
            logs = await said_by(store)

    (told,) = [one for one in logs if "memory" in one["event"]]
    assert (told["log_level"], told["percent"] >= 90) == ("warning", True)


async def test_a_replica_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with one_server(tmp_path / "a") as master, one_server(tmp_path / "b") as replica:
        replica.ask("REPLICAOF", "127.0.0.1", master.port)
        wait_for(lambda: follows(replica), "it follows")
        async with Store(replica.url) as store:
            logs = await said_by(store)

    assert [one["log_level"] for one in logs if "replica" in one["event"]] == ["error"]


def follows(server: Server) -> bool:
    return server.says("role") == "slave" and server.says("master_link_status") == "up"


async def test_a_clock_that_is_off_is_told_with_how_much(redis_url: str) -> None:
    async with Store(redis_url, clock=Ahead()) as store:
        await store.check()
        began = monotonic()
        logs = await said_by(store)
        took = monotonic() - began  # what the way there and back may explain is taken off

    (told,) = [one for one in logs if "clock" in one["event"]]
    assert told["log_level"] == "warning"
    assert 4.9 - took <= told["ahead_seconds"] <= 5.1


async def test_what_goes_on_is_not_told_each_time(redis_url: str) -> None:
    async with Store(redis_url, clock=Ahead()) as store:
        care = ServerCare(store, ["t:demo:marker"])
        with capture_logs() as logs:
            await care.look()
            await care.look()

    assert len([one for one in logs if "clock" in one["event"]]) == 1


async def test_what_changes_is_told_again(tmp_path: Path) -> None:
    with one_server(tmp_path, *EVICTING) as server:
        async with Store(server.url) as store:
            care = ServerCare(store, [None])
            with capture_logs() as logs:
                for policy in ("allkeys-lru", "volatile-lru", "noeviction", "volatile-lru"):
                    server.ask("CONFIG", "SET", "maxmemory-policy", policy)
                    await care.look()
                    await care.look()

    told = [one["maxmemory_policy"] for one in logs if "evict" in one["event"]]
    assert told == ["allkeys-lru", "volatile-lru", "volatile-lru"]


async def test_our_own_server_gives_no_cause_for_a_word(private_server: EmbeddedServer) -> None:
    async with Store(private_server.start().url) as store:
        logs = await said_by(store)

    assert logs == []
