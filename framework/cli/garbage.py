"""When Python looks for garbage in cycles: hardly while a process starts, seldom while it works.

Nearly all that a start makes stays, and to look through it again and again takes a twelfth of the
start. Nearly all that a job makes goes by itself as the job ends; but those that run at a time make
more than the 700 objects after which Python looks, so that each is looked at several times: a
sixth of the worker's time where jobs have payloads, hooks and lines of log. Whoever sets other
thresholds in their own modules has them. Import this first.
"""

import gc

STARTING = (50_000, *gc.get_threshold()[1:])
WORKING = (5_000, *STARTING[1:])

gc.set_threshold(*STARTING)


def settle() -> None:
    """Never look at what the start made again: it stays; from now on look for what jobs leave."""
    if gc.get_threshold() == STARTING:
        gc.freeze()
        gc.set_threshold(*WORKING)
