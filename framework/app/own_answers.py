"""What probes are answered for the workers of this very process."""

import time

from framework.app.health import Vitals
from framework.app.health_server import Answers
from framework.app.process_answers import NOT_FOUND, OK, PATHS, UNAVAILABLE, Answer
from framework.model.health import as_json

# A loop that stands still for so long takes no jobs.
BLOCKED_SECONDS = 5.0


def answers_of(vitals: Vitals, live_seconds: float) -> Answers:
    """Return what answers probes for one process.

    Args:
        live_seconds: How long its event loop may stand still until it is not alive.
    """

    def answer(path: str) -> Answer:
        still = time.monotonic() - vitals.beat
        blocked = f"the event loop stands still for {still:.1f} s"
        health = vitals.latest
        if path == "/livez":
            if still < live_seconds:
                return OK, {"status": "alive"}
            return UNAVAILABLE, {"status": "not alive", "problems": [blocked]}
        if path not in {"/readyz", "/healthz"}:
            return NOT_FOUND, {"status": "not found", "paths": list(PATHS)}
        if health is None:
            return UNAVAILABLE, {"status": "not ready", "problems": ["it is starting"]}
        told = as_json(health)
        if still >= BLOCKED_SECONDS:
            told |= {"status": "not ready", "problems": [*health.problems, blocked]}
        told["heartbeat_seconds_ago"] = round(still, 1)
        code = OK if told["status"] == "ready" else UNAVAILABLE
        if path == "/healthz":
            return code, told
        return code, {key: told[key] for key in ("status", "problems")}

    return answer
