"""When a worker process that died is started again."""

from framework.app.brake import Brake


def test_restarts_that_lead_nowhere_wait_longer_each_time_and_end() -> None:
    brake = Brake(9)

    pauses = [brake.died(has_worked=False) for _ in range(10)]

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, None]


def test_a_process_that_did_a_job_is_replaced_at_once_and_starts_the_count_anew() -> None:
    brake = Brake(2)
    brake.died(has_worked=False)
    brake.died(has_worked=False)

    assert brake.died(has_worked=True) == 0.1
    assert brake.died(has_worked=False) == 0.1


def test_what_was_not_there_is_waited_for_and_is_no_crash() -> None:
    brake = Brake(2)

    pauses = [brake.died(has_worked=False, was_refused=True) for _ in range(40)]

    assert pauses[:3] == [0.1, 0.2, 0.4]
    assert set(pauses[7:]) == {10.0}
    assert brake.died(has_worked=False) == 0.1
