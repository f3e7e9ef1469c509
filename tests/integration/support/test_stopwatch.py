import time
from pathlib import Path

import pytest

from tests.support import stopwatch
from tests.support.stopwatch import SLOWEST, Stopwatch


class Machine:
    """A machine whose time passes as a test says."""

    def __init__(self, pressure: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.waited = 77.0
        self._pressure = pressure
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(stopwatch, "PRESSURE", pressure)

    def passes(self, seconds: float, *, waiting: float = 0) -> None:
        self.now += seconds
        self.waited += waiting
        total = round(self.waited * 1e6)
        averages = "avg10=72.29 avg60=48.59 avg300=57.47"
        self._pressure.write_text(f"some {averages} total={total}\nfull {averages} total=0\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path / "cpu", monkeypatch)


def test_each_second_counts_where_programs_run_at_once(machine: Machine) -> None:
    machine.passes(0)
    watch = Stopwatch()

    machine.passes(3)

    assert watch.seconds == pytest.approx(3)


def test_time_in_which_programs_waited_does_not_count(machine: Machine) -> None:
    machine.passes(5, waiting=5)
    watch = Stopwatch()

    machine.passes(3, waiting=1)

    assert watch.seconds == pytest.approx(2)


def test_nothing_may_take_many_times_as_long_on_any_machine(machine: Machine) -> None:
    machine.passes(0)
    watch = Stopwatch()

    machine.passes(8, waiting=8)

    assert watch.seconds == pytest.approx(8 / SLOWEST)


def test_what_others_measured_counts_as_much_of_its_time_did(machine: Machine) -> None:
    machine.passes(0)
    watch = Stopwatch()

    machine.passes(4, waiting=1)

    assert watch.counted(2) == pytest.approx(1.5)


def test_each_second_counts_where_the_machine_does_not_tell(machine: Machine) -> None:
    watch = Stopwatch()

    machine.now += 3

    assert watch.seconds == pytest.approx(3)
