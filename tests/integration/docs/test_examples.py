"""The examples and the quick start, run as a reader runs them."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.integration.docs.pages import EXAMPLES, REPOSITORY, blocks_in, patched
from tests.support.command import FOREIGN, command

QUICK_START = REPOSITORY / "docs" / "tutorial" / "quick-start.md"


def run_python(*arguments: str | Path, cwd: Path, **environment: str) -> str:
    """Run Python and return what it wrote."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    done = subprocess.run(  # noqa: S603 - our own programs
        [sys.executable, *arguments],
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def post(url: str, body: object) -> object:
    request = urllib.request.Request(  # noqa: S310 - our own server
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
        said: object = json.loads(answer.read())
        return said


def follow_quick_start(folder: Path) -> Path:
    """Write what the quick start has its reader write, and return the project."""
    with command("new", "shop", cwd=folder) as new:
        assert new.ends() == 0, new.output
    project = folder / "shop"
    for name, example in (
        ("shop/reminders.py", "reminders.py"),
        ("tests/test_reminders.py", "test_reminders.py"),
    ):
        (project / name).write_text((EXAMPLES / example).read_text())
    web = project / "shop" / "web.py"
    for block in blocks_in(QUICK_START):
        if block.language == "diff":
            web.write_text(patched(web.read_text(), block.text))
    return project


def test_the_smallest_program_greets(redis_url: str, prefix: str, tmp_path: Path) -> None:
    said = run_python(
        EXAMPLES / "hello.py", cwd=tmp_path, REDIS_URL=redis_url, FRAMEWORK_PREFIX=prefix
    )

    assert said == "Hello, Ada!\n"


def test_the_quick_start_leads_to_a_project_whose_tests_pass(tmp_path: Path) -> None:
    project = follow_quick_start(tmp_path)

    said = run_python("-m", "pytest", "tests/test_reminders.py", cwd=project)

    assert "2 passed" in said


def test_the_quick_start_leads_to_a_project_that_runs(tmp_path: Path) -> None:
    project = follow_quick_start(tmp_path)
    port = free_port()

    with command("dev", "shop", "--port", str(port), cwd=project) as dev:
        dev.says(f"http://127.0.0.1:{port}\n")
        reminder = {"user_id": 7, "text": "Water the fern."}
        answer = post(f"http://127.0.0.1:{port}/reminders", reminder)
        dev.says("reminding attempt=1 job=1 name=reminder queue=reminders user=7")
        dev.send(signal.SIGINT)
        code = dev.ends()

    assert answer == {"job_id": "1"}
    assert code == 0
