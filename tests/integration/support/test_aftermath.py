"""A failed test fails alone."""

import subprocess
import sys
from pathlib import Path

CODE = """
import gc, socket

def test_leaves_a_connection_open():
    held = [socket.socket()]
    held.append(held)
    assert not held

def test_has_nothing_to_do_with_it():
    gc.collect()
"""


def test_what_a_failed_test_left_open_fails_no_other(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(CODE)
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.aftermath"]

    run = subprocess.run(  # noqa: S603 - our own test file
        [*pytest_, "-W", "error", "-p", "no:cacheprovider", str(tmp_path / "test_it.py")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 failed, 1 passed" in run.stdout, run.stdout
