"""The programs of the peers as processes: asked for one line, or working until they are told."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

LONGEST = 600.0
GRACE = 10.0
# Workers that take less of a core than this, twice in a row, wait for jobs.
CALM_SHARE, CALM_SECONDS, CALM_WITHIN = 0.05, 0.3, 20.0


class PeerError(Exception):
    """A peer's program failed; the text has what it wrote."""


def ask(program: Sequence[str], role: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a program to its end and read the last line it prints.

    Raises:
        PeerError: It failed.
    """
    done = subprocess.run(  # noqa: S603 - our own programs
        [*program, role],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=worded(environment),
        timeout=LONGEST,
    )
    if done.returncode != 0:
        raise PeerError(f"{role} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def timed(command: Sequence[str]) -> float:
    """Run a command to its end and return the seconds that it took."""
    began = time.monotonic()
    subprocess.run(command, env=worded({}), capture_output=True, check=True)  # noqa: S603 - see above
    return time.monotonic() - began


def worded(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a peer's program.

    Each has its bytecode at hand, ours too, as after an installation. Of our plugins those
    take part that ``FRAMEWORK_PLUGINS`` names: none, unless it is set.
    """
    usual = {name: said for name, said in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    here = {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])}
    return {"FRAMEWORK_PLUGINS": "none", **usual, "NODE_ENV": "production", **here, **environment}


class Workers:
    """The processes that work through a queue, with all their children."""

    def __init__(self, roots: Sequence[subprocess.Popen[bytes]]) -> None:
        self.roots = roots

    @property
    def pids(self) -> list[int]:
        """All of them, parents before their children."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with contextlib.suppress(OSError):
                    after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                    children.setdefault(int(after_name[1]), []).append(int(entry.name))
        found = [root.pid for root in self.roots]
        for pid in found:
            found += children.get(pid, ())
        return found

    @property
    def cpu_seconds(self) -> float:
        """What all of them have taken from the processors, those that ended left out."""
        return sum(filter(None, map(cpu_seconds_of, self.pids)))

    @property
    def megabytes(self) -> dict[int, float]:
        """The resident memory of each."""
        return {pid: resident_megabytes(pid) for pid in self.pids}

    def until_calm(self) -> None:
        """Wait until none of them starts any more, or until some time is over."""
        calm, deadline = 0, time.monotonic() + CALM_WITHIN
        while calm < 2 and time.monotonic() < deadline:
            before = self.cpu_seconds
            time.sleep(CALM_SECONDS)
            self.check()
            calm = calm + 1 if self.cpu_seconds - before < CALM_SHARE * CALM_SECONDS else 0

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Hold all of them meanwhile, parents before their children."""
        pids = self.pids
        for pid in pids:
            signal_to(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(pids):
                signal_to(pid, signal.SIGCONT)

    def check(self) -> None:
        """Raise if one has ended.

        Raises:
            PeerError: It has.
        """
        for root in self.roots:
            if root.poll() is not None:
                raise PeerError(f"the worker ended with {root.returncode}")


def cpu_seconds_of(pid: int) -> float | None:
    # The kernel's clock of another process: MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED).
    with contextlib.suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)
    return None


def resident_megabytes(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def working(
    program: Sequence[str], environment: Mapping[str, str], copies: int = 1
) -> Iterator[Workers]:
    """Run workers; end them with SIGTERM, and what is left of them after a while for good.

    Raises:
        PeerError: Something went wrong within; the text has what the workers wrote.
    """
    with TemporaryFile() as said:
        workers = Workers(
            [
                subprocess.Popen(  # noqa: S603 - our own programs
                    [*program, "work"],
                    env=worded(environment),
                    stdout=said,
                    stderr=said,
                    start_new_session=True,
                )
                for _ in range(copies)
            ]
        )
        try:
            yield workers
        except PeerError as error:
            said.seek(0)
            raise PeerError(f"{error}\n{said.read().decode()[-3000:]}") from None
        finally:
            stop(workers)


def stop(workers: Workers) -> None:
    pids = workers.pids
    for root in workers.roots:
        with contextlib.suppress(ProcessLookupError):
            root.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    for root in workers.roots:
        with contextlib.suppress(subprocess.TimeoutExpired):
            root.wait(max(deadline - time.monotonic(), 0))
    for pid in pids:
        signal_to(pid, signal.SIGKILL)
    for root in workers.roots:
        root.wait()


def signal_to(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
