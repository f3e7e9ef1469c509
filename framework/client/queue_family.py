"""A queue's parents and children, and its deduplication ids."""

from datetime import timedelta
from typing import Any, TypeVar, get_args, overload

from framework.client.queue_base import QueueBase, check_whole
from framework.errors import OptionsError
from framework.model.family import ChildOutcome, Dependencies, DependencyPage, FlowAudit
from framework.model.job import ChildCounts, JobId
from framework.model.options import check_deduplication_id
from framework.model.spans import check_span
from framework.store import families
from framework.store.transitions import flows
from framework.wire.job_hash import json_value
from framework.wire.millis import to_ms
from framework.wire.payload import codec_of

V = TypeVar("V")


class QueueFamily(QueueBase):
    """What ties the jobs of a queue. Children go by their full keys: ``bull:pages:7``."""

    @overload
    async def children_values(self, job_id: str, kind: type[V]) -> dict[str, V]: ...
    @overload
    async def children_values(self, job_id: str, kind: object = ...) -> dict[str, Any]: ...
    async def children_values(self, job_id: str, kind: object = Any) -> dict[str, Any]:
        """Return what a job's completed children returned. Wire: reads ``J:processed``.

        Args:
            kind: The type of all of them, as annotated; unchecked JSON unless given.

        Raises:
            PayloadError: A value does not fit.
        """
        codec = codec_of(kind)
        found = await families.children_values(self._store, self._keys, self._id(job_id))
        return {key.decode(): codec.decode(value) for key, value in found.items()}

    async def ignored_children(self, job_id: str) -> dict[str, str]:
        """Return why children failed without which a job goes on. Wire: reads ``J:failed``.

        They were added with ``on_child_failure="continue"`` or ``"ignore"``.
        """
        found = await families.ignored_children(self._store, self._keys, self._id(job_id))
        return texts(found)

    async def failed_children(self, job_id: str) -> list[str]:
        """Return the children with which a job fails. Wire: reads ``J:unsuccessful``."""
        return await families.failed_children(self._store, self._keys, self._id(job_id))

    async def dependencies(self, job_id: str) -> Dependencies:
        """Return all children of a job by what became of them.

        Wire: reads ``J:processed``, ``J:dependencies``, ``J:failed`` and ``J:unsuccessful``.
        """
        processed, unprocessed, ignored, failed = await families.dependencies(
            self._store, self._keys, self._id(job_id)
        )
        return Dependencies(
            values(processed),
            tuple(sorted(key.decode() for key in unprocessed)),
            texts(ignored),
            tuple(key.decode() for key in failed),
        )

    async def dependencies_page(
        self, job_id: str, outcome: ChildOutcome, *, cursor: int = 0, count: int = 100
    ) -> DependencyPage:
        """Return some of a job's children that had one outcome.

        Wire: ``SSCAN``, ``HSCAN`` or ``ZSCAN``. A child may come twice if others end meanwhile.

        Args:
            outcome: ``"processed"``, ``"unprocessed"``, ``"ignored"`` or ``"failed"``.
            cursor: What the page before said; 0 for the first.
            count: About how many.

        Raises:
            OptionsError: Another outcome.
        """
        if outcome not in get_args(ChildOutcome):
            known = ", ".join(get_args(ChildOutcome))
            raise OptionsError("outcome", f"there is no {outcome!r}; there are: {known}")
        check_whole(cursor=cursor, count=count)
        after, found = await families.scan_children(
            self._store, self._keys, self._id(job_id), outcome, cursor, count
        )
        if outcome == "processed":
            return DependencyPage(
                {k.decode(): json_value(v, None) for k, v in found.items()}, after
            )
        if outcome == "ignored":
            return DependencyPage(texts(found), after)
        return DependencyPage(dict.fromkeys(texts(found)), after)

    async def dependencies_count(self, job_id: str) -> ChildCounts:
        """Return how many children a job has, by what became of them.

        Wire: reads ``J:processed``, ``J:dependencies``, ``J:failed`` and
        ``J:unsuccessful``.
        """
        return await families.child_counts(self._store, self._keys, self._id(job_id))

    async def remove_child_dependency(self, job_id: str) -> bool:
        """Part a child from its parent; return whether that waited for it. Both stay.

        Wire: it leaves the parent's ``:dependencies``; fields ``parentKey`` and ``parent`` go;
        a parent that waited for it alone -> waiting, at the front; event ``waiting``.

        Args:
            job_id: The child.

        Raises:
            JobNotFoundError: There is no such job.
            ParentNotFoundError: Its parent is gone.
        """
        return await flows.remove_child_dependency(self._store, self._keys, self._id(job_id))

    async def remove_unprocessed_children(self, job_id: str) -> int:
        """Delete the children that a job still waits for; return how many jobs went.

        What those wait for goes too. Children that a worker holds stay, and those that have
        failed. More than 1,000 go in parts.

        Wire: event ``removed`` in the queue of each; the job -> waiting, at the front, if
        nothing is left that it waits for.
        """
        return await flows.remove_unprocessed(self._store, self._keys, self._id(job_id))

    async def audit_flows(self, *, waiting_for: timedelta = timedelta(0)) -> FlowAudit:
        """Find parents whose children have all ended or are gone, and let them go on.

        Each child that has ended is told to its parent as its own end should have done; one
        that is gone is waited for no more. Our workers do this by themselves now and then.

        Wire: waiting-children -> waiting, prioritized or delayed; ``J:processed`` and the
        like; event ``waiting`` or ``delayed``.

        Args:
            waiting_for: Leave alone what has waited for a shorter time.
        """
        check_span("waiting_for", waiting_for)
        looked_at = 0
        repaired: list[JobId] = []
        held: list[JobId] = []
        page_size = flows.PAGE
        while page_size == flows.PAGE:
            page = await flows.audit_flows(
                self._store,
                self._keys,
                longest_ms=to_ms(waiting_for),
                skip=looked_at - len(repaired),
            )
            page_size = page.looked_at
            looked_at += page.looked_at
            repaired += page.repaired
            held += page.held
        return FlowAudit(looked_at, tuple(repaired), tuple(held))

    async def deduplication_job_id(self, deduplication_id: str) -> JobId | None:
        """Return the job that holds a deduplication id, or None. Wire: reads ``Q:de:<id>``."""
        check_deduplication_id(deduplication_id)
        found = await self._store.command("GET", self._keys.dedup(deduplication_id))
        return None if found is None else JobId(found.decode(errors="replace"))

    async def remove_deduplication_key(
        self, deduplication_id: str, *, job_id: str | None = None
    ) -> bool:
        """Set a deduplication id free; return whether it was held.

        Wire: key ``Q:de:<id>`` goes.

        Args:
            job_id: Only if this job holds it.
        """
        check_deduplication_id(deduplication_id)
        if job_id is not None:
            return await flows.release_dedup(self._store, self._keys, deduplication_id, job_id)
        key = self._keys.dedup(deduplication_id)
        return bool(await self._store.command("DEL", key, repeatable=False))


def values(fields: dict[bytes, bytes]) -> dict[str, Any]:
    """Return fields of JSON; text that is none comes as text."""
    return {key.decode(): json_value(value, None) for key, value in fields.items()}


def texts(fields: dict[bytes, bytes]) -> dict[str, str]:
    """Return fields as text."""
    return {key.decode(): value.decode(errors="replace") for key, value in fields.items()}
