"""What ties a worker process to its supervisor: two pipes.

A thread tells which jobs it holds, all of them each time, and never waits: where the pipe is full
it tells the next time. The supervisor renews the locks of what it was told, and says so. As soon as
it is silent, or gone, the process renews them itself. When the process is silent, the supervisor
finds its jobs in Redis. So the way of a job is not burdened with any of this.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from framework.model.job import JobId, Token
from framework.worker.locks import Holdings, WhyLost

log = structlog.get_logger("framework.worker")

CHUNK = 65_536


class Tether:
    """A worker process's end of the two pipes.

    Args:
        ears: Where the supervisor is heard.
        mouth: Where it listens.

    Attributes:
        report: Makes what else is told with each sign of life: what probes are answered.
    """

    def __init__(self, ears: int, mouth: int) -> None:
        for end in (ears, mouth):
            os.set_inheritable(end, False)
        os.set_blocking(mouth, False)
        self.report: Callable[[], Mapping[str, object]] | None = None
        self._ears = ears
        self._mouth = mouth
        self._guard = threading.Lock()
        self._places = threading.Lock()
        self._unsent = b""
        self._is_cut = False
        self._holdings: list[Holdings] = []
        # Places keep their numbers: the supervisor may be speaking of one just now.
        self._free: list[int] = []
        self._are_told = True
        self._on_cut: list[Callable[[], None]] = []
        self._renewed = time.monotonic()
        self._patience = 0.0
        self._count_served: Callable[[], int] = lambda: 0
        self._is_ready = False

    def start(
        self,
        holdings: Sequence[Holdings],
        count_served: Callable[[], int],
        on_cut: Callable[[], None],
    ) -> None:
        """Tell who takes jobs here, before the first is taken, and listen from now on.

        Args:
            holdings: One for each worker of the process.
            count_served: Tells how many jobs have ended here.
            on_cut: Called in a thread when the supervisor is gone.
        """
        self._count_served = count_served
        self._take_in(holdings)
        self._renewed = time.monotonic()
        os.set_blocking(self._mouth, True)
        self._are_told = self._say({"workers": self._workers()})
        os.set_blocking(self._mouth, False)
        self._on_cut.append(on_cut)
        threading.Thread(target=self._listen, name="tether", daemon=True).start()

    def join(self, holdings: Sequence[Holdings], on_cut: Callable[[], None]) -> Callable[[], None]:
        """Tell who takes jobs here from now on, beside those that `start` told of.

        Args:
            holdings: One for each worker; what they hold is the supervisor renews once it knows.
            on_cut: Called in a thread when the supervisor is gone.

        Returns:
            What takes leave, once they hold nothing more.
        """
        self._on_cut.append(on_cut)
        places = self._take_in(holdings)
        self._tell_workers()

        def leave() -> None:
            self._on_cut.remove(on_cut)
            self._free += places

        return leave

    def _take_in(self, holdings: Sequence[Holdings]) -> list[int]:
        places: list[int] = []
        with self._places:
            for one in holdings:
                if self._free:
                    place = self._free.pop()
                    self._holdings[place] = one
                else:
                    place = len(self._holdings)
                    self._holdings.append(one)
                places.append(place)
            self._are_told = False
        self._patience = min((one.lock_ms for one in self._holdings), default=0) / 2000
        return places

    def _workers(self) -> list[list[object]]:
        return [
            [one.keys.prefix, one.keys.queue, one.worker, one.lock_ms] for one in self._holdings
        ]

    def _tell_workers(self) -> None:
        """Tell who takes jobs here and what each holds; again with each beat until it was said."""
        with self._places:
            told = {"workers": self._workers(), "held": self._held()}
            self._are_told = self._say(told)

    def _held(self) -> list[dict[JobId, str]]:
        return [
            {job_id: number_of(token) for job_id, token in one.held.copy().items()}
            for one in self._holdings
        ]

    @property
    def renews_locks(self) -> bool:
        """Whether the supervisor renews the locks: it is there, and said so lately."""
        return not self._is_cut and time.monotonic() - self._renewed < self._patience

    @property
    def renewed_at(self) -> float:
        """When the supervisor last said so, by ``time.monotonic``."""
        return self._renewed

    def ready(self) -> None:
        """Tell that all workers take jobs, and again with each sign of life."""
        self._is_ready = True
        self._say({"ready": True})

    def beat(self, loop_age: float) -> None:
        """Give a sign of life, and tell what is held; called again and again in a thread.

        Args:
            loop_age: For how long the event loop has not turned.
        """
        if not self._are_told:
            self._tell_workers()
        told: dict[str, object] = {
            "life": [round(loop_age, 1), self._count_served(), memory()],
            "held": self._held(),
        }
        if self._is_ready:
            told["ready"] = True
        if self.report is not None:
            told["answers"] = self.report()
        self._say(told)

    def _say(self, message: Mapping[str, object]) -> bool:
        """Send a message, unless the one before is still on its way; return whether it was sent."""
        with self._guard:
            self._flush()
            is_free = not self._unsent
            if is_free:
                self._unsent = json.dumps(message, separators=(",", ":")).encode() + b"\n"
                self._flush()
            return is_free

    def _flush(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._mouth, self._unsent) :]
        except BlockingIOError:
            return
        except OSError:  # nobody listens any more; `_listen` sees to that
            self._unsent = b""

    def _listen(self) -> None:
        heard = b""
        while chunk := os.read(self._ears, CHUNK):
            *lines, heard = (heard + chunk).split(b"\n")
            for line in lines:
                self._heed(json.loads(line))
        self._is_cut = True
        log.warning("the supervisor is gone; what runs may end, then this process does")
        for call in tuple(self._on_cut):
            call()

    def _heed(self, message: dict[str, list[tuple[int, str, str, WhyLost]]]) -> None:
        self._renewed = time.monotonic()
        for place, job_id, token, why in message["lost"]:
            one = self._holdings[place]
            # It may have ended meanwhile; then nothing is lost.
            if one.held.get(JobId(job_id)) == token:
                one.on_lost(JobId(job_id), Token(token), why)


def number_of(token: Token) -> str:
    """Return what tells the tokens of one worker apart."""
    return token.rpartition(":")[2]


def memory() -> int:
    """Return how many bytes of memory this process has; where nothing tells, the most it had."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - as cheap as it can be
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource  # noqa: PLC0415 - not everywhere, and rarely needed

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
