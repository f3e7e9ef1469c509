"""What a benchmark says is what was measured."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.benchmarks.field import NODE, OURS
from tests.benchmarks.peers.stamps import Stamps
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Workers
from tests.benchmarks.report import Results, Run, Summary, as_text, summarize
from tests.benchmarks.targets import check_targets

PLAN = Plan.read({"PEERS": "node", "WORKLOADS": "drain@100,latency@50", "ROUNDS": "3"})
DRAIN, LATENCY = PLAN.workloads


def drained(rate: float) -> Run:
    return Run({"jobs/s": rate, "worker µs/job": 8, "Redis µs/job": 12})


def test_ratios_are_of_medians_and_more_is_better() -> None:
    results = Results()
    for own, other in ((50_000, 20_000), (10_000, 25_000), (60_000, 22_000)):
        results.add(DRAIN, OURS, drained(own))
        results.add(DRAIN, NODE, drained(other))
    for peer, wait in ((OURS, 0.5), (NODE, 1.0)):
        results.add(LATENCY, peer, Run({"p50 ms": wait, "p99 ms": 2 * wait, "jobs/s": 50}))

    found = summarize(PLAN, results)

    assert found["drain@100", OURS].ratio == 50_000 / 22_000
    assert found["drain@100", OURS].ratios == (0.4, 60_000 / 22_000)
    assert found["latency@50", OURS].ratio == 2


def test_a_target_that_was_missed_is_told_with_its_figure() -> None:
    found = {
        ("drain@100", peer): Summary("drain@100", peer, metrics=drained(rate).metrics)
        for peer, rate in ((OURS, 40_000), (NODE, 20_000))
    }

    said = [str(target) for target in check_targets(found)]

    assert "NOT      drain@100, times Node: 2, at least 2.5" in said


def test_who_is_ahead_since_it_gives_less_is_named_and_not_counted() -> None:
    waits = {OURS: 1.0, "huey": 0.9, "arq": 1.2, "celery": 1.1}
    found = {
        ("latency@50", peer): Summary("latency@50", peer, metrics={"p50 ms": wait, "jobs/s": 50})
        for peer, wait in waits.items()
    }

    (target,) = check_targets(found)

    assert target.is_reached
    assert target.figure == 1.2
    assert "(arq; huey, which takes no acknowledgement: 0.9)" in target.says


def test_a_peer_that_cannot_is_a_dash_with_a_reason() -> None:
    results = Results()
    results.add(DRAIN, OURS, drained(50_000))
    results.cannot(DRAIN, NODE, "it has one thread")

    found = summarize(PLAN, results)

    assert found["drain@100", NODE].why == "it has one thread"
    assert "  node       -\n" in as_text(PLAN, "valkey 9", found, [])


@pytest.mark.parametrize("wrong", [{"PEERS": "nodes"}, {"WORKLOADS": "drain@"}, {"ROUNDS": "0"}])
def test_what_cannot_be_measured_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SystemExit, match=next(iter(wrong))):
        Plan.read(wrong)


def test_runs_are_counted_in_any_order(tmp_path: Path) -> None:
    stamps = Stamps.make(tmp_path / "stamps", 1000)
    for n in (999, 0, 500, 501):
        stamps.start(n)

    assert stamps.missing == 996


def test_workers_stand_still_while_jobs_are_put_in_line() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:  # noqa: S607 - any program would do
        workers = Workers([sleeper])

        with workers.frozen():
            stopped = os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)
        continued = os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED)
        sleeper.kill()

    assert stopped is not None
    assert stopped.si_code == os.CLD_STOPPED
    assert continued is not None
    assert continued.si_code == os.CLD_CONTINUED
