"""The `framework` command as a process of its own, its output read as it comes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from tests.support.stopwatch import SLOWEST, Stopwatch

# What a shell around the tests may have set must not reach the command.
FOREIGN = ("REDIS_", "FRAMEWORK_", "PORT")


class Command:
    """A running command.

    Args:
        process: With its output on one pipe.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """All that it has said."""
        return "".join(self.lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def says(self, text: str, *, timeout: float = 15) -> None:
        """Wait until it has said ``text``."""
        watch = Stopwatch()
        while text not in self.output:
            ended = self.process.poll() is not None and not self._reader.is_alive()
            assert not ended or text in self.output, f"ended without {text!r}:\n{self.output}"
            assert watch.seconds < timeout, f"no {text!r} within {timeout} s:\n{self.output}"
            time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it alone."""
        self.process.send_signal(number)

    def ends(self, *, timeout: float = 15) -> int:
        """Wait for its end and return its exit code; both times are those of a `Stopwatch`."""
        watch = Stopwatch()
        code = self.process.wait(timeout * SLOWEST)
        assert watch.seconds < timeout, f"it ended only after {watch.seconds:.1f} s:\n{self.output}"
        self._reader.join(timeout)
        return code


@contextmanager
def command(
    *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Command]:
    """Run ``framework ARGUMENTS`` in a folder; whatever still runs at the end is killed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "framework.cli.main", *arguments],
        cwd=cwd,
        env={**kept, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Command(process)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        running.ends()
        assert process.stdout is not None
        process.stdout.close()


def write_package(folder: Path, name: str, **modules: str) -> Path:
    """Write a package with these modules and return its folder."""
    package = folder / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for module, source in modules.items():
        (package / f"{module}.py").write_text(dedent(source))
    return package


def children_of(pid: int) -> list[int]:
    """The processes that a process has started, such as the workers of a supervisor."""
    return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
