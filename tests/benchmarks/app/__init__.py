"""The measured application: a package as a user would write it, run by ``framework run``.

Each module has one handler on a queue of its own, so that ``--only noop`` runs that one alone.
"""

import os

from framework import JobOptions, KeepJobs

CONCURRENCY = int(os.environ.get("BENCH_CONCURRENCY", "100"))
KEEP = os.environ.get("BENCH_KEEP", "all")


def defaults() -> JobOptions:
    """Keep as many jobs as the peers do; ``default`` leaves it to the framework.

    Failed ones too: options of more than 64 bytes, such as two limits of age, make Redis keep a
    job's hash in another form, of more than twice the size.
    """
    if KEEP == "default":
        return JobOptions()
    count = KeepJobs.all() if KEEP == "all" else KeepJobs(count=int(KEEP))
    return JobOptions(remove_on_complete=count, remove_on_fail=KeepJobs.all())
