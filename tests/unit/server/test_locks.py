import time
from pathlib import Path

import pytest

from framework.server.ending import is_last
from framework.server.locks import LONGEST_PAUSE, Lock, pauses


def test_a_lock_is_taken_once_also_within_a_process(tmp_path: Path) -> None:
    with Lock(tmp_path / "l") as one, Lock(tmp_path / "l") as two:
        assert one.try_exclusive()
        assert not two.try_exclusive()
        assert not two.try_shared()
        assert not two.is_free()

        one.release()

        assert two.is_free()
        assert two.try_exclusive()


def test_a_closed_lock_is_let_go(tmp_path: Path) -> None:
    with Lock(tmp_path / "l") as one:
        one.try_exclusive()

    with Lock(tmp_path / "l") as two:
        assert two.try_exclusive()
    one.close()


def test_sharers_keep_one_out_who_wants_it_alone(tmp_path: Path) -> None:
    with Lock(tmp_path / "l") as one, Lock(tmp_path / "l") as two, Lock(tmp_path / "l") as alone:
        assert one.wait_shared(1)
        assert two.wait_shared(1)

        assert not alone.wait_exclusive(0.01)


def test_a_removed_file_is_not_current(tmp_path: Path) -> None:
    path = tmp_path / "l"
    with Lock(path) as lock:
        assert lock.is_current()
        path.unlink()
        assert not lock.is_current()
        path.touch()
        assert not lock.is_current()


def test_a_note_is_read_by_others_and_wiped(tmp_path: Path) -> None:
    with Lock(tmp_path / "l") as one, Lock(tmp_path / "l") as two:
        assert two.read_pid() is None
        one.write_pid(123456)
        assert two.read_pid() == 123456
        one.write_pid(7)
        assert two.read_pid() == 7
        one.write_pid(None)
        assert two.read_pid() is None


def test_a_lock_is_for_its_owner(tmp_path: Path) -> None:
    with Lock(tmp_path / "l"):
        assert (tmp_path / "l").stat().st_mode & 0o077 == 0


def test_pauses_ask_at_least_once_and_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: 1000 + sum(slept))
    monkeypatch.setattr(time, "sleep", slept.append)
    assert len(list(pauses(0))) == 1
    assert slept == []

    asked = len(list(pauses(0.25)))

    assert asked == len(slept) + 1
    assert sum(slept) == pytest.approx(0.25)
    assert slept[0] == 0.001
    assert slept[:-1] == sorted(slept[:-1])
    assert max(slept) == LONGEST_PAUSE


def test_the_last_user_is_told_from_others_and_from_a_reaper(tmp_path: Path) -> None:
    with Lock(tmp_path / "l") as mine, Lock(tmp_path / "l") as other:
        mine.try_shared()
        other.try_shared()
        assert not is_last(mine)

        other.release()
        assert is_last(mine)

        mine.release()
        other.try_exclusive()
        assert is_last(mine)
