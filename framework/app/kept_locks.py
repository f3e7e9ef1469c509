"""The supervisor's part in locks: it renews them all, and gives back what the dead held."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import anyio
import structlog

from framework.app.lookout import few
from framework.app.worker_process import Holder, WorkerProcess
from framework.errors import FrameworkError
from framework.model.job import JobId, Token
from framework.store.patience import Patience
from framework.store.store import Store
from framework.store.transitions.running import EXTEND_LOCKS, MOST_LOCKS, extend_args
from framework.store.transitions.silent_workers import (
    GIVE_BACK_DEAD,
    extend_locks_of,
    give_back_dead,
)
from framework.wire.keys import QueueKeys
from framework.worker.locks import RENEWALS
from framework.worker.tether import number_of

log = structlog.get_logger("framework.locks")

LONGEST_PAUSE = 1.0
# After two signs of life that did not come, what a process said last is no longer the truth.
SILENT_SECONDS = 0.5

# How much of the last stacks the log of each job is told.
MOST_STACK = 1_500

# A process, which of its workers, a job and its token.
Entry = tuple[WorkerProcess, int, str, str]


class KeptLocks:
    """Renews the locks of all worker processes from a process without user code.

    Args:
        store: Where the queues are.
        processes: Returns those that run now.
    """

    def __init__(self, store: Store, processes: Callable[[], Iterable[WorkerProcess]]) -> None:
        self._store = store
        self._processes = processes

    async def run(self) -> None:
        """Renew until cancelled."""
        # At hand when somebody dies: not even the script has to travel then.
        with suppress(FrameworkError):
            await self._store.command("SCRIPT", "LOAD", GIVE_BACK_DEAD.text)
        renewed = 0.0
        while True:
            due = renewed + self._shortest() / RENEWALS
            await anyio.sleep(max(0.01, min(LONGEST_PAUSE, due - time.monotonic())))
            is_due = time.monotonic() >= renewed + self._shortest() / RENEWALS
            # What has fallen silent is looked for at once, so that a report can name its jobs.
            if not (is_due or any(is_sought(one) for one in self._processes())):
                continue
            if await self._renew_all():
                renewed = time.monotonic()

    def _shortest(self) -> float:
        locks = [one.lock_ms for process in self._processes() for one in process.holders]
        return min(locks, default=30_000) / 1000

    async def _renew_all(self) -> bool:
        """Renew the locks of all processes; return whether that worked."""
        told = [process for process in self._processes() if process.holders]
        lost: dict[int, list[tuple[int, str, str, str]]] = {one.pid: [] for one in told}
        try:
            for (prefix, queue, lock_ms), entries in by_queue(told).items():
                await self._renew(QueueKeys(prefix, queue), lock_ms, entries, lost)
            for process in told:
                if process.silent_for > SILENT_SECONDS:
                    await self._renew_unheard(process)
        except FrameworkError as error:
            # Nothing is told: the workers' own threads see to it, as long as this lasts.
            log.warning("locks not renewed", error=str(error))
            return False
        for process in told:
            if process.is_running:
                process.tell_renewed(lost[process.pid])
        return True

    async def _renew(
        self,
        keys: QueueKeys,
        lock_ms: int,
        entries: Sequence[Entry],
        lost: dict[int, list[tuple[int, str, str, str]]],
    ) -> None:
        for first in range(0, len(entries), MOST_LOCKS):
            part = entries[first : first + MOST_LOCKS]
            pairs = [(JobId(job_id), Token(token)) for _, _, job_id, token in part]
            lost_ids, gone_ids = await self._store.run(
                EXTEND_LOCKS,
                keys.pick(EXTEND_LOCKS.keys),
                extend_args(pairs, lock_ms, at_least=True),
            )
            whys = {raw.decode(): "lost" for raw in lost_ids}
            whys |= {raw.decode(): "removed" for raw in gone_ids}
            for process, place, job_id, token in part:
                if job_id in whys:
                    process.holders[place].held.pop(job_id, None)
                    lost[process.pid].append((place, job_id, token, whys[job_id]))

    async def _renew_unheard(self, process: WorkerProcess) -> None:
        spoke = process.sought = process.spoke
        for one in process.holders:
            keys = QueueKeys(one.prefix, one.queue)
            found = await extend_locks_of(self._store, keys, one.worker, one.lock_ms)
            if process.spoke == spoke:
                one.held = {job_id: number_of(token) for job_id, token in found.items()}

    async def give_back(self, process: WorkerProcess) -> None:
        """Put back in line what a process held that has ended; tries until Redis answers."""
        row = row_of(process)
        async with anyio.create_task_group() as tasks:
            for holder in process.holders:
                tasks.start_soon(self._give_back_one, process, holder, row)

    async def _give_back_one(self, process: WorkerProcess, holder: Holder, row: str) -> None:
        keys = QueueKeys(holder.prefix, holder.queue)
        patience = Patience(None, self._store.outage)
        while True:
            patience.begin()
            try:
                back = await give_back_dead(self._store, keys, holder.worker, row=row)
            except FrameworkError as error:
                self._store.outage.begin(error)
                await patience.wait()
                continue
            if self._store.outage.error is not None:
                self._store.outage.end()
            if back:
                log.warning(
                    "jobs of a dead worker are back in line",
                    worker=process.index,
                    pid=process.pid,
                    queue=holder.queue,
                    jobs=len(back),
                    ids=few(back),
                )
            return


def is_sought(process: WorkerProcess) -> bool:
    """Tell whether it has fallen silent, and nobody has looked yet which jobs it holds."""
    is_silent = process.silent_for > SILENT_SECONDS and process.is_running
    return is_silent and bool(process.holders) and process.sought != process.spoke


def row_of(process: WorkerProcess) -> str:
    """Word how a process ended, for the logs of the jobs that it held: one of them may be why."""
    process.take_stacks()
    ended = f"its worker died while it ran, maybe among others ({process.ending}); it runs again"
    stack = process.last_stacks[:MOST_STACK]
    return f"{ended}\n{stack}" if stack else ended


def by_queue(processes: Iterable[WorkerProcess]) -> dict[tuple[str, str, int], list[Entry]]:
    """Sort what processes hold by queue and life of the locks: one call each."""
    found: dict[tuple[str, str, int], list[Entry]] = {}
    for process in processes:
        for place, holder in enumerate(process.holders):
            entries = found.setdefault((holder.prefix, holder.queue, holder.lock_ms), [])
            entries += [(process, place, *pair) for pair in holder.pairs()]
    return {key: entries for key, entries in found.items() if entries}
