"""What holds of queues at any time, whoever did what: each function lists what does not."""

from collections.abc import Iterator, Mapping, Set

from tests.property.snapshot import HELD_MS, NEVER, View
from tests.support.builders import is_known

PRIORITY_STEP = 2**32
# The state that an event tells of its job.
TOLD = {
    "waiting": {"wait", "paused", "prioritized"},
    "delayed": {"delayed"},
    "active": {"active"},
    "completed": {"completed"},
    "failed": {"failed"},
    "waiting-children": {"waiting-children"},
}


def troubles(views: Mapping[str, View], reborn: Set[str]) -> list[str]:
    """List what is wrong; nothing is.

    Args:
        reborn: Keys of jobs that were removed once: a job of the same id may be there again,
            and children of the first are none of its own. (The next run of a schedule is replaced
            by another of the same id, in one step.)
    """
    return [
        f"{queue}: {trouble}"
        for queue, view in views.items()
        for check in (
            places_of_jobs,
            locks,
            scores,
            counters,
            holds,
            wake_ups,
            deduplication,
            schedulers,
            known_keys,
        )
        for trouble in check(view)
    ] + list(families(views, reborn))


def places_of_jobs(view: View) -> Iterator[str]:
    """Every live id is in exactly one structure, and every entry has its hash."""
    for job_id in view.jobs:
        places = view.places(job_id)
        if len(places) != 1:
            yield f"job {job_id} is in {places or 'no structure'}"
    for job_id in view.members() - view.jobs.keys():
        yield f"{job_id} stands in {view.places(job_id)} and has no hash"
    for part, found in view.parts.items():
        for job_id in found.keys() - view.jobs.keys():
            yield f"{job_id}:{part} hangs on no job"


def locks(view: View) -> Iterator[str]:
    """Who holds a lock is active, and who is marked as stalled may be."""
    for job_id in view.parts["lock"]:
        if job_id not in view.lists["active"]:
            yield f"job {job_id} is locked in {view.places(job_id)}"


def scores(view: View) -> Iterator[str]:
    """A priority stands in the score as in the hash; times are times."""
    for job_id, score in view.sets["prioritized"].items():
        if int(score // PRIORITY_STEP) != int(view.jobs[job_id]["priority"]):
            yield f"job {job_id} stands at {score}, priority {view.jobs[job_id]['priority']}"
    for job_id in view.lists["wait"] + view.lists["paused"]:
        if "atm" in view.jobs[job_id] and int(view.jobs[job_id]["atm"]) < 0:
            yield f"job {job_id} was attempted {view.jobs[job_id]['atm']} times"
    for state in ("completed", "failed"):
        for job_id, score in view.sets[state].items():
            if view.jobs[job_id].get("finishedOn") != f"{score:.0f}":
                yield f"job {job_id} finished at {view.jobs[job_id].get('finishedOn')}, not {score}"


def counters(view: View) -> Iterator[str]:
    """No counted id is above the counter; an attempt that ended had begun."""
    highest = int(view.strings.get("id", ("0", -1))[0])
    for job_id, fields in view.jobs.items():
        if job_id.isdecimal() and int(job_id) > highest:
            yield f"job {job_id} was counted, the counter stands at {highest}"
        if int(fields.get("atm", 0)) > int(fields.get("ats", 0)):
            yield f"job {job_id} ended {fields['atm']} attempts, began {fields.get('ats', 0)}"
    if view.sets["prioritized"] and int(view.strings.get("pc", ("0", -1))[0]) < 0:
        yield "the priority counter is below zero"
    for key, (value, ttl) in view.strings.items():
        if key == "limiter" and ttl < 0:
            yield f"the limiter stands at {value} for ever"


def holds(view: View) -> Iterator[str]:
    """A job is held where its field says so, and that says where it returns to."""
    far = {it for it, score in view.sets["delayed"].items() if score >= HELD_MS * 4096}
    said = {it for it, job in view.jobs.items() if job.get("fw.held", "asked") != "asked"}
    if far != said:
        yield f"held: {sorted(far)}, marked as held: {sorted(said)}"


def wake_ups(view: View) -> Iterator[str]:
    """Workers know two markers."""
    if unknown := view.marker.keys() - {"0", "1"}:
        yield f"unknown markers {unknown}"


def missing_wake_up(before: View, now: View) -> str | None:
    """Tell which wake-up is missing: what can be taken now, or falls due earlier than before.

    Of a delayed job that was first before, idle workers were told already.
    """
    if now.is_blocked() or "0" in now.marker:
        return None
    if now.has_work():
        return f"jobs wait, and no marker wakes a worker: {now.marker}"
    is_news = now.first_due < before.first_due or "paused" in before.meta
    if is_news and now.first_due < now.marker.get("1", NEVER):
        return f"a job is due at {now.first_due}, workers are told {now.marker}"
    return None


def deduplication(view: View) -> Iterator[str]:
    """An id that is taken for good has an owner; what waits behind one has one yet to end.

    Unless somebody took the id away by hand: then what waits comes when that one ends.
    """
    for dedup_id, (owner, ttl) in view.dedup.items():
        if ttl == -1 and owner not in view.jobs:
            yield f"deduplication id {dedup_id} is held by {owner}, which is gone"
    for dedup_id in view.pending:
        owner, _ = view.dedup.get(dedup_id, ("", -1))
        if owner and {"completed", "failed"}.intersection(view.places(owner) or ["completed"]):
            yield f"a job waits behind {dedup_id}, whose owner {owner!r} does not run again"


def schedulers(view: View) -> Iterator[str]:
    """What is in the list of schedules is described, and has its next run in line."""
    for odd in view.next_runs.keys() ^ view.schedulers.keys():
        yield f"scheduler {odd} is but half there"
    for scheduler, due in view.next_runs.items():
        places = view.places(f"repeat:{scheduler}:{due:.0f}")
        if not {"wait", "paused", "prioritized", "delayed"}.intersection(places):
            yield f"the next run of {scheduler}, {due:.0f}, is in {places or 'no structure'}"


def known_keys(view: View) -> Iterator[str]:
    """Nothing is written that the format does not name."""
    for suffix in view.keys:
        if not is_known(view.base + suffix):
            yield f"unknown key {suffix}"


def families(views: Mapping[str, View], reborn: Set[str]) -> Iterator[str]:
    """Parents wait for unfinished children alone, and for at least one."""
    jobs = {view.base + job_id: (view, job_id) for view in views.values() for job_id in view.jobs}
    for view in views.values():
        yield from waiting_parents(view, jobs)
    for child, (view, job_id) in jobs.items():
        parent_key = view.jobs[job_id].get("parentKey")
        if parent_key in jobs and parent_key not in reborn and ":repeat:" not in parent_key:
            yield from place_in_family(child, view, job_id, jobs[parent_key])


def waiting_parents(view: View, jobs: Mapping[str, tuple[View, str]]) -> Iterator[str]:
    """Whom the parents of one queue wait for."""
    for parent, children in view.parts["dependencies"].items():
        for child in children - jobs.keys():
            yield f"{view.base}{parent} waits for {child}, which is gone"
        for child in children & jobs.keys():
            if "completed" in jobs[child][0].places(jobs[child][1]):
                yield f"{view.base}{parent} waits for {child}, which has completed"
        for child in children & view.parts["processed"].get(parent, {}).keys():
            yield f"{child} is both done and to do for {view.base}{parent}"
    for parent in view.sets["waiting-children"]:
        if not view.parts["dependencies"].get(parent):
            yield f"{view.base}{parent} waits for no child, for ever"


def place_in_family(child: str, view: View, job_id: str, parent: tuple[View, str]) -> Iterator[str]:
    """A child that has not finished holds back its parent.

    Not one that failed under ``rdof`` and is retried: of it nothing was kept.
    """
    parent_view, parent_id = parent
    is_held = child in parent_view.parts["dependencies"].get(parent_id, set())
    has_finished = bool({"completed", "failed"}.intersection(view.places(job_id)))
    is_let_go = '"rdof":true' in view.jobs[job_id].get("parent", "")
    if not (has_finished or is_held or is_let_go):
        yield f"{child} has not finished, and {parent_view.base}{parent_id} does not wait for it"
