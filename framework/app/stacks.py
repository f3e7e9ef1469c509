"""What an interpreter writes as it stands still or crashes: which part of it to tell."""

CRASH = "Fatal Python error"
STILL = "Timeout ("
CULPRIT = "Current thread"
# How much is told.
MOST_STACK = 4_000


def telling(text: str, *, is_still: bool) -> str:
    """Return the part of what was written that tells why a process is as it is.

    A crash goes before all that was written earlier, and the thread that crashed before the others.
    Where a process turned again after it had stood still, that stack says nothing.

    Args:
        text: All that was written, the oldest first.
        is_still: Whether the process stands still, or did at its end.
    """
    crash, still = text.rfind(CRASH), text.rfind(STILL)
    if crash >= 0:
        text = culprit_first(text[crash:])
    elif still >= 0:
        text = text[still:] if is_still else ""
    text = text.rstrip()
    return text if len(text) <= MOST_STACK else f"{text[:MOST_STACK].rstrip()} …"


def culprit_first(report: str) -> str:
    """Put the thread that crashed before the others in the report of a crash."""
    title, *parts = report.split("\n\n")
    parts.sort(key=lambda part: not part.startswith(CULPRIT))
    return "\n\n".join([title, *parts])
