"""Whoever comes first starts the server, and nobody starts a second one."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from framework.errors import ServerError
from framework.server import EmbeddedServer, embedded, ending, launch
from framework.server.locks import Lock
from tests.integration.server.processes import (
    User,
    client,
    is_gone,
    ping,
    read,
    until,
    wrapper,
    write,
)


def starts_in(data_dir: Path) -> int:
    return (data_dir / "server.log").read_text().count("Server initialized")


def test_eight_starters_at_once_get_one_server(tmp_path: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(User(tmp_path)) for _ in range(8)]

        for user in users:
            user.send("start")
        urls = {user.answer() for user in users}

        assert urls == {f"unix://{tmp_path}/server.sock"}
        assert starts_in(tmp_path) == 1
    until(lambda: is_gone(tmp_path), "the server ends")


def test_each_directory_has_a_server_of_its_own(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "one") as one, EmbeddedServer(tmp_path / "two") as two:
        write(one.start().url, "name", "one")
        write(two.start().url, "name", "two")

        assert one.start().pid != two.start().pid
        assert read(one.start().url, "name") == "one"
    with EmbeddedServer(tmp_path / "two") as two:
        assert read(two.start().url, "name") == "two"


def test_a_second_start_is_the_same_server(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        assert server.start() == server.start()
        assert starts_in(tmp_path) == 1


def test_a_start_after_a_crash_brings_a_new_server(private_server: EmbeddedServer) -> None:
    killed = private_server.start()
    os.kill(killed.pid, signal.SIGKILL)

    revived = private_server.start()

    assert revived.pid != killed.pid
    assert revived.url == killed.url
    assert ping(revived.url)


def test_a_socket_left_behind_is_no_server(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        os.kill(server.start().pid, signal.SIGKILL)
        until(lambda: is_gone(tmp_path), "the server dies")
        assert (tmp_path / "server.sock").exists()

        assert ping(server.start().url)


def test_loading_is_not_ready(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server, client(server.start().url) as redis:
        for number in range(200):
            redis.set(f"key:{number}", "x")
    slow = wrapper(
        tmp_path, after="--key-load-delay 1000 --loading-process-events-interval-bytes 1024"
    )

    with EmbeddedServer(tmp_path, binary=slow) as server:
        assert read(server.start().url, "key:199") == "x"


def test_a_start_that_was_killed_half_way_is_waited_for(tmp_path: Path) -> None:
    data_dir = tmp_path / "redis"
    slow = wrapper(tmp_path, before="touch began; sleep 0.5")
    with User(data_dir, binary=str(slow)) as starter, EmbeddedServer(data_dir) as user:
        user.close()
        starter.send("start")
        until((data_dir / "data" / "began").exists, "the server is spawned")
        # Without another user the reaper may be the first to hear of the end, and end the server.
        with Lock(user.directory.users_lock) as another:
            assert another.wait_shared(5)
            starter.kill()

            assert ping(user.start().url)
            assert starts_in(data_dir) == 2


def test_a_server_that_hangs_is_named(
    private_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "SILENCE_MAY_TAKE", 0.1)
    monkeypatch.setattr(ending, "ASK_FOR", 0.1)
    hanging = private_server.start().pid
    os.kill(hanging, signal.SIGSTOP)

    with pytest.raises(ServerError, match=rf"process {hanging}\) runs but does not answer"):
        private_server.start()

    assert is_gone(private_server.directory.path)


def test_a_start_under_way_is_waited_for_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_MAY_TAKE", 0.05)
    monkeypatch.setattr(embedded, "LEAVING_MAY_TAKE", 0.05)
    with Lock(tmp_path / "start.lock") as start:
        start.try_exclusive()

        with pytest.raises(ServerError, match="another process has been starting"):
            EmbeddedServer(tmp_path).start()

        start.release()
        with EmbeddedServer(tmp_path) as server:
            assert ping(server.start().url)
