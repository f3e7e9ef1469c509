"""A session ends with its last user, however that one goes; a kept server stays."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from shutil import rmtree

import pytest

from framework.server import EmbeddedServer, ending, status, stop
from framework.server.locks import Lock, pauses
from tests.integration.server.processes import (
    User,
    is_gone,
    is_held,
    ping,
    read,
    until,
    wrapper,
    write,
)


def test_the_last_user_ends_the_server_and_the_data_stays(tmp_path: Path) -> None:
    first, last = EmbeddedServer(tmp_path), EmbeddedServer(tmp_path)
    url = first.start().url
    last.start()
    write(url, "name", "Ada")

    first.close()
    assert ping(url)
    last.close()

    assert is_gone(tmp_path)
    with EmbeddedServer(tmp_path) as server:
        assert read(server.start().url, "name") == "Ada"


def test_a_second_close_does_nothing(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.close()
    server.start()

    server.close()
    server.close()

    assert is_gone(tmp_path)


def test_a_user_that_just_exits_ends_the_server(tmp_path: Path) -> None:
    with User(tmp_path) as user:
        user.does("start")

        user.leave_without_a_word()

        until(lambda: is_gone(tmp_path), "the server ends")


def test_a_last_user_killed_leaves_no_orphan(tmp_path: Path) -> None:
    with User(tmp_path) as one, User(tmp_path) as two:
        url = str(one.does("start"))
        two.does("start")

        one.kill()
        assert ping(url)
        two.kill()

        until(lambda: is_gone(tmp_path), "the server ends")


def test_a_starter_killed_half_way_leaves_no_orphan(tmp_path: Path) -> None:
    data_dir = tmp_path / "redis"
    slow = wrapper(tmp_path, before="touch began; sleep 0.5")
    with User(data_dir, binary=str(slow)) as starter:
        starter.send("start")
        until((data_dir / "data" / "began").exists, "the server is spawned")

        starter.kill()

        until(lambda: is_gone(data_dir), "the server ends")
        assert "User requested shutdown" in (data_dir / "server.log").read_text()


def test_one_reaper_waits_and_goes_with_the_server(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path), EmbeddedServer(tmp_path):
        assert is_held(tmp_path / "reaper.lock")

    until(lambda: not is_held(tmp_path / "reaper.lock"), "the reaper ends")


def test_coming_and_going_at_once_always_gives_a_server(tmp_path: Path) -> None:
    def come_and_go(name: int) -> list[str | None]:
        seen = []
        for turn in range(5):
            with EmbeddedServer(tmp_path) as server:
                url = server.start().url
                write(url, f"{name}:{turn}", "here")
                seen.append(read(url, f"{name}:{turn}"))
        return seen

    with ThreadPoolExecutor(4) as threads:
        seen = [answer for each in threads.map(come_and_go, range(4)) for answer in each]

    assert seen == ["here"] * 20
    assert is_gone(tmp_path)
    with EmbeddedServer(tmp_path) as server:
        for name in range(4):
            assert [read(server.start().url, f"{name}:{turn}") for turn in range(5)] == ["here"] * 5


def test_a_persistent_server_outlives_its_users_until_it_is_stopped(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, life="persistent") as server:
        url = server.start().url
    with EmbeddedServer(tmp_path), User(tmp_path) as user:
        user.does("start")
    assert ping(url)
    assert status(tmp_path).kept
    assert not is_held(tmp_path / "reaper.lock")

    assert stop(tmp_path)

    assert is_gone(tmp_path)
    assert not stop(tmp_path)


def test_a_session_can_be_kept_while_it_runs(tmp_path: Path) -> None:
    with User(tmp_path) as user:
        url = str(user.does("start"))
        user.does("keep")

        user.kill()

        until(lambda: not is_held(tmp_path / "reaper.lock"), "the reaper gives up")
        assert ping(url)
    stop(tmp_path)


def test_a_session_after_a_kept_server_died_is_a_session(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path, life="persistent") as server:
        os.kill(server.start().pid, signal.SIGKILL)
        until(lambda: is_gone(tmp_path), "the server dies")
        server.life = "session"

        server.start()

    assert is_gone(tmp_path)


def test_who_comes_while_the_last_user_leaves_keeps_the_server(tmp_path: Path) -> None:
    with User(tmp_path) as leaving, Lock(tmp_path / "start.lock") as start:
        leaving.does("start")
        start.try_exclusive()
        leaving.kill()
        # The reaper has the users' lock now, or soon, and then waits for the other one.
        assert not any(is_gone(tmp_path) for _ in pauses(0.1))

        with Lock(tmp_path / "users.lock") as coming:
            coming.wait_shared(5)
            start.release()

            assert not any(is_gone(tmp_path) for _ in pauses(0.2))
        until(lambda: is_gone(tmp_path), "the server ends")


def test_a_user_of_a_stopped_server_starts_it_again(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        stop(tmp_path)

        assert ping(server.start().url)
    assert is_gone(tmp_path)


@pytest.mark.parametrize("end", ["close", "kill"])
def test_a_forked_child_is_no_user(tmp_path: Path, end: str) -> None:
    with User(tmp_path) as user:
        user.does("start")
        child = user.does("fork")
        assert isinstance(child, int)
        try:
            if end == "close":
                user.does("close")
            else:
                user.process.kill()

            until(lambda: is_gone(tmp_path), "the server ends")
            with EmbeddedServer(tmp_path) as server:
                assert ping(server.start().url)
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_hanging_server_is_killed_by_its_last_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "ASK_FOR", 0.1)
    with EmbeddedServer(tmp_path) as server:
        os.kill(server.start().pid, signal.SIGSTOP)

    assert is_gone(tmp_path)


def test_a_directory_removed_while_in_use_leaves_no_orphan(tmp_path: Path) -> None:
    data_dir = tmp_path / "redis"
    with ExitStack() as stack:
        closed, killed = (stack.enter_context(User(data_dir)) for _ in range(2))
        closed.does("start")
        first = stack.enter_context(Lock(data_dir / "data.lock"))
        rmtree(data_dir)
        killed.does("start")
        second = stack.enter_context(Lock(data_dir / "data.lock"))
        assert not first.is_free()

        closed.does("close")

        assert first.is_free()
        assert not second.is_free()

        rmtree(data_dir)
        killed.kill()

        until(second.is_free, "the second server ends")
