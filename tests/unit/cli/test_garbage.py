"""A worker looks for garbage when its start has settled, unless its modules say otherwise."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc
import framework.cli.garbage
{modules}
framework.cli.garbage.settle()
print(gc.get_threshold()[0], gc.get_freeze_count() > 0)
"""


@pytest.mark.parametrize(
    ("modules", "found"),
    [("", "5000 True"), ("gc.set_threshold(900)", "900 False"), ("gc.disable()", "5000 True")],
)
def test_thresholds_of_the_users_are_kept(modules: str, found: str) -> None:
    program = PROGRAM.format(modules=modules)

    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, check=True
    )

    assert done.stdout.decode().strip() == found
