"""What probes are answered for worker processes, from what these told their supervisor."""

from collections.abc import Mapping

from framework.app.worker_process import WorkerProcess

OK, NOT_FOUND, UNAVAILABLE = 200, 404, 503
PATHS = ("/livez", "/readyz", "/healthz")
# A process that says nothing for so long takes no jobs.
SILENT_SECONDS = 5.0

Answer = tuple[int, Mapping[str, object]]


def answers_of_process(process: WorkerProcess, live_seconds: float) -> Mapping[str, Answer]:
    """Return what a process said last; if that is long ago, that it stands still.

    Args:
        live_seconds: How long it may stand still until it is not alive.
    """
    if not process.is_running:
        return {}
    still = process.silent_for
    if not process.answers or still < SILENT_SECONDS:
        return process.answers
    problem = f"nothing was heard of it for {still:.1f} s"
    unready = UNAVAILABLE, {"status": "not ready", "problems": [problem]}
    answers: dict[str, Answer] = {**process.answers, "/readyz": unready, "/healthz": unready}
    if still > live_seconds:
        answers["/livez"] = UNAVAILABLE, {"status": "not alive", "problems": [problem]}
    return answers


def answers_of_processes(told: Mapping[int, Mapping[str, Answer]], path: str) -> Answer:
    """Return what answers a probe for several worker processes: all is well if each is.

    Args:
        told: What each of them answers, by its number; nothing while it starts.
    """
    if path not in PATHS:
        return NOT_FOUND, {"status": "not found", "paths": list(PATHS)}
    starting: Answer = (UNAVAILABLE, {"status": "not ready", "problems": ["it is starting"]})
    if path == "/livez":
        starting = OK, {"status": "alive"}
    answers = {number: one.get(path, starting) for number, one in sorted(told.items())}
    if len(answers) == 1:
        return next(iter(answers.values()))
    code = max((code for code, _ in answers.values()), default=UNAVAILABLE)
    bodies = {number: body for number, (_, body) in answers.items()}
    status = next((one["status"] for c, one in answers.values() if c == code), "not ready")
    problems = [
        f"worker {number}: {problem}"
        for number, body in bodies.items()
        for problem in list_in(body.get("problems"))
    ]
    body: dict[str, object] = {"status": status, "problems": problems}
    return code, body | ({"workers": bodies} if path == "/healthz" else {})


def list_in(found: object) -> list[object]:
    """Return a list that may be missing."""
    return list(found) if isinstance(found, list) else []
