"""A user that may do what the reference lists, and nothing else, can do all that is needed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.errors import RedisRefusedError
from framework.store.store import Store
from tests.places.everyday import everyday
from tests.places.rights import allowed_to, commands_in_code, rules_of
from tests.support.clusters import Cluster
from tests.support.sentinels import SentinelSet
from tests.support.servers import Server, one_server

# Sent only in some places, where the reference says to add them; and those of Sentinels.
SOMETIMES = {"role", "cluster", "sentinel", "select", "wait"}


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Server]:
    with one_server(tmp_path) as server:
        yield server


def test_the_reference_lists_every_command_that_is_sent(valkey: Server) -> None:
    sent = commands_in_code(valkey) - SOMETIMES

    assert sorted(sent - allowed_to("worker")) == []
    assert sorted(allowed_to("worker") - sent) == []


@pytest.mark.parametrize("which", ["valkey", "redis_70", "redis_62"])
async def test_a_user_of_least_rights_can_work(
    which: str, request: pytest.FixtureRequest, prefix: str
) -> None:
    server: Server = request.getfixturevalue(which)
    grant(server, prefix)

    await everyday(f"redis://worker:password@127.0.0.1:{server.port}", prefix)

    assert refusals(server) == []


async def test_on_a_cluster_three_more_rights_are_enough(a_cluster: Cluster, prefix: str) -> None:
    for node in a_cluster.nodes:
        grant(node, prefix, "+cluster|slots", "+asking", "+wait")

    await everyday(a_cluster.url.replace("://", "://worker:password@"), prefix)

    assert [refusal for node in a_cluster.nodes for refusal in refusals(node)] == []


async def test_behind_sentinels_a_few_rights_are_enough(
    a_sentinel_set: SentinelSet, prefix: str
) -> None:
    for server in a_sentinel_set.servers:
        grant(server, prefix, "+role", "+select", "+wait")
    for sentinel in a_sentinel_set.sentinels:
        sentinel.ask("ACL", "SETUSER", "watcher", *rules_of("watcher"))
    logins = "&sentinel_username=watcher&sentinel_password=password"
    url = a_sentinel_set.url.replace("://", "://worker:password@")

    await everyday(f"{url}?db=1{logins}", prefix)

    assert refusals(a_sentinel_set.master) == []


async def test_a_missing_right_is_named(valkey: Server, prefix: str) -> None:
    grant(valkey, prefix, "-get")

    async with Store(f"redis://worker:password@127.0.0.1:{valkey.port}") as store:
        with pytest.raises(RedisRefusedError, match="'get' command"):
            await store.command("GET", f"{prefix}:mail:meta")


def grant(server: Server, prefix: str, *more: str) -> None:
    """Make the user of the reference, for the test's prefix."""
    rules = [rule.replace("~bull:", f"~{prefix}:") for rule in rules_of("worker")]
    server.ask("ACL", "SETUSER", "worker", *rules, *more)
    server.ask("ACL", "LOG", "RESET")


def refusals(server: Server) -> list[str]:
    """List what the user was refused, but for a library that names itself."""
    found = server.ask("ACL LOG")
    said = [entry["object"] for entry in found if entry["reason"] in {"command", "key"}]
    return [one for one in said if one not in {"client|setinfo", "client"}]
