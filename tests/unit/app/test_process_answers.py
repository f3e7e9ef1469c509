"""One answer to a probe for several worker processes."""

from framework.app.process_answers import Answer, answers_of_processes

WELL: dict[str, Answer] = {
    "/livez": (200, {"status": "alive"}),
    "/readyz": (200, {"status": "ready", "problems": []}),
    "/healthz": (200, {"status": "ready", "problems": [], "phase": "working"}),
}
ILL: dict[str, Answer] = {
    **WELL,
    "/readyz": (503, {"status": "not ready", "problems": ["redis is away"]}),
}


def test_one_process_answers_for_itself() -> None:
    assert answers_of_processes({1: WELL}, "/healthz") == WELL["/healthz"]


def test_all_is_well_if_each_is() -> None:
    assert answers_of_processes({1: WELL, 2: WELL}, "/readyz") == (
        200,
        {"status": "ready", "problems": []},
    )


def test_one_that_is_not_is_named() -> None:
    assert answers_of_processes({1: WELL, 2: ILL}, "/readyz") == (
        503,
        {"status": "not ready", "problems": ["worker 2: redis is away"]},
    )


def test_one_that_starts_is_alive_and_not_ready() -> None:
    assert answers_of_processes({1: WELL, 2: {}}, "/livez")[0] == 200
    code, body = answers_of_processes({1: WELL, 2: {}}, "/readyz")
    assert (code, body["problems"]) == (503, ["worker 2: it is starting"])


def test_the_detail_tells_of_each() -> None:
    _, body = answers_of_processes({1: WELL, 2: WELL}, "/healthz")

    assert body["workers"] == {1: WELL["/healthz"][1], 2: WELL["/healthz"][1]}


def test_an_unknown_path_is_not_found() -> None:
    assert answers_of_processes({1: WELL}, "/metrics")[0] == 404
