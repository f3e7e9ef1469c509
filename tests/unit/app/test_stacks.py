"""Which part of what an interpreter wrote is told."""

from framework.app.stacks import MOST_STACK, telling

STOOD_STILL = """\
Timeout (0:00:04)!
Thread 0x01 (most recent call first):
  File "shop/mail.py", line 5 in wait
"""
CRASHED = """\
Fatal Python error: Segmentation fault

Thread 0x02 (most recent call first):
  File "threading.py", line 331 in wait

Current thread 0x01 (most recent call first):
  File "shop/scans.py", line 9 in process

Extension modules: greenlet._greenlet (total: 1)
"""


def test_a_crash_goes_before_an_earlier_standstill() -> None:
    told = telling(STOOD_STILL + CRASHED, is_still=True)
    assert told.startswith("Fatal Python error: Segmentation fault\n\nCurrent thread")
    assert "shop/mail.py" not in told
    assert "threading.py" in told


def test_the_thread_that_crashed_is_told_however_many_others_there_are() -> None:
    other = 'Thread 0x03 (most recent call first):\n  File "pool.py", line 1 in wait\n\n'
    head, rest = CRASHED.split("\n\n", 1)
    told = telling(f"{head}\n\n{other * 200}{rest}", is_still=False)
    assert "shop/scans.py" in told
    assert len(told) <= MOST_STACK + 2
    assert told.endswith(" …")


def test_a_standstill_counts_only_while_it_lasts() -> None:
    assert telling(STOOD_STILL, is_still=False) == ""
    assert telling(STOOD_STILL * 2, is_still=True) == STOOD_STILL.rstrip()
    assert telling("", is_still=True) == ""
