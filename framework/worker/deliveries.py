"""What a pump delivers: how runs ended, who wants to hear of it, and how much fits into a call."""

from collections.abc import Callable, Sequence

from framework.store.transitions.ending import Ending
from framework.store.transitions.exchange import MOST_BYTES, MOST_ENDINGS, Fetched

Settled = Callable[[int], None]
Delivery = tuple[Ending, Settled | None, Fetched]
# Of an ending that Redis refused: what the run leads to instead; None: nothing more.
Refused = Callable[[Fetched, int], "tuple[Ending, Settled | None] | None"]


def how_many_fit(endings: Sequence[Delivery]) -> int:
    """Return how many endings one call takes: at most 250, and 4 MiB unless one is larger."""
    if len(endings) <= 1:
        return len(endings)
    size = 0
    for place, (ending, _, _) in enumerate(endings[:MOST_ENDINGS]):
        size += ending.size
        if size > MOST_BYTES and place:
            return place
    return min(len(endings), MOST_ENDINGS)
