"""A plain line begins a run as the full reading of it would; all others are left to that."""

from typing import Any

import pytest

from framework.cli import run
from framework.cli.commands import app
from framework.cli.plain_run import read_plain_run

PLAIN = [
    "run shop",
    "run shop --only emails",
    "run shop --only emails,billing --only=demo --exclude web,",
    "run --processes 4 shop",
    "run shop -p 2 --health-port 0",
    "run shop --health-port=8080 --max-jobs 1000 --max-rss=512",
    "run shop --processes 2 --processes 3",
]
OTHERS = [
    "",
    "--help",
    "dev shop",
    "run",
    "run --help",
    "run shop --help",
    "run shop other",
    "run shop --processes 0",
    "run shop --processes four",
    "run shop --processes",
    "run shop --processes -1",
    "run shop --processes ²",
    "run shop --health-port 70000",
    "run shop --max-jobs 0",
    "run shop --unknown 1",
    "run shop -p4",
    "run -- shop",
    "run shop --only --exclude",
]


def read_in_full(line: str, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    told: list[dict[str, Any]] = []

    def note(package: str, **more: Any) -> int:  # noqa: ANN401 - as `run_package` takes them
        told.append({"package": package, **more})
        return 0

    patch.setattr(run, "run_package", note)
    with pytest.raises(SystemExit):
        app(line.split())
    (one,) = told
    return one


@pytest.mark.parametrize("line", PLAIN)
@pytest.mark.parametrize(
    "environment", [{}, {"FRAMEWORK_PROCESSES": "3", "FRAMEWORK_MAX_RSS": "256"}]
)
def test_a_plain_line_is_read_as_in_full(
    line: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, said in environment.items():
        monkeypatch.setenv(name, said)

    assert read_plain_run(line.split(), environment) == read_in_full(line, monkeypatch)


@pytest.mark.parametrize("line", OTHERS)
def test_other_lines_are_left_to_the_full_reading(line: str) -> None:
    assert read_plain_run(line.split(), {}) is None


@pytest.mark.parametrize("said", ["", "many", "0"])
def test_odd_variables_are_left_to_the_full_reading(said: str) -> None:
    assert read_plain_run(["run", "shop"], {"FRAMEWORK_PROCESSES": said}) is None
