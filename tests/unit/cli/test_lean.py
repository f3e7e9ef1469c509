"""What processes do not import: it costs time at each start, and memory for as long as they run."""

import subprocess
import sys

import pytest

WORKER = "import framework.cli.work"
PARENT = """
import framework.cli.main, framework.cli.run, framework.cli.lean
import framework.app.health_server, framework.app.logs, framework.app.supervisor
"""


@pytest.mark.parametrize(
    ("imports", "kept_out"),
    [
        ("import framework", {"anyio", "asyncio", "pydantic", "redis", "structlog"}),
        (
            "import framework.cli.commands",
            {"anyio", "asyncio", "pydantic", "redis", "rich.console"},
        ),
        ("import framework.cli.main", {"typer", "framework.errors", "importlib.metadata"}),
        (WORKER, {"rich", "typer"}),
        (PARENT, {"rich", "typer", "framework.worker.crew", "framework.declare", "croniter"}),
    ],
    ids=["a program", "all commands", "the command", "a worker process", "the supervisor"],
)
def test_what_is_not_needed_is_not_imported(imports: str, kept_out: set[str]) -> None:
    script = f"{imports}\nimport sys; print(*sorted({kept_out!r} & sys.modules.keys()))"

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)  # noqa: S603 - our own text

    assert told.stdout.decode().split() == []
