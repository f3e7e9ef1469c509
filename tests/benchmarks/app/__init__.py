"""The measured application: a package as a user would write it, run by ``framework run``.

Each module has one handler on a queue of its own, so that ``--only noop`` runs that one alone.
"""

import os

from framework import JobOptions, KeepJobs

CONCURRENCY = int(os.environ.get("BENCH_CONCURRENCY", "100"))
KEEP = os.environ.get("BENCH_KEEP", "all")


def defaults() -> JobOptions:
    """Keep as many completed jobs as the peers do; ``default`` leaves it to the framework."""
    if KEEP == "default":
        return JobOptions()
    count = KeepJobs.all() if KEEP == "all" else KeepJobs(count=int(KEEP))
    return JobOptions(remove_on_complete=count)
