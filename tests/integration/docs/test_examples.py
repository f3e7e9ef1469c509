"""The examples and the quick start, run as a reader runs them."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.integration.docs.pages import EXAMPLES, REPOSITORY, blocks_in, patched
from tests.support.command import FOREIGN, command

HOW_TO = REPOSITORY / "docs" / "how-to"
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


def run_example(name: str, url: str, prefix: str, folder: Path) -> list[str]:
    """Run an example on the tests' server and return the lines that it wrote."""
    said = run_python(EXAMPLES / name, cwd=folder, REDIS_URL=url, FRAMEWORK_PREFIX=prefix)
    return said.splitlines()


def test_an_album_is_made_in_a_thread(redis_url: str, prefix: str, tmp_path: Path) -> None:
    said = run_example("albums.py", redis_url, prefix, tmp_path)

    assert sorted(said) == ["pictures: 3", "to Ada: Your album is ready."]


def test_a_film_is_made_in_a_process(redis_url: str, prefix: str, tmp_path: Path) -> None:
    said = run_example("make_a_film.py", redis_url, prefix, tmp_path)

    assert said == shown_by("run-cpu-bound-work.md")


def test_a_letter_is_shown_as_it_is_written(redis_url: str, prefix: str, tmp_path: Path) -> None:
    said = run_example("letters.py", redis_url, prefix, tmp_path)

    assert said == shown_by("stream-what-a-job-makes.md")


def test_a_scan_that_kills_its_worker_is_found_and_rescued(
    redis_url: str, prefix: str, tmp_path: Path
) -> None:
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}
    with command("run", "scans", cwd=EXAMPLES, environment=told) as run:
        run.says("worker ready")
        said = run_example("look_at_scans.py", redis_url, prefix, tmp_path)
        run.says("look at odd.tiff: signal 6 SIGABRT")
    with command(
        "jobs", "rescue", "scans", "2", "--isolate", cwd=tmp_path, environment=told
    ) as one:
        code = one.ends()

    shown = shown_by("find-a-job-that-kills-its-worker.md")
    assert "\n".join(said).startswith("\n".join(shown)), said
    assert (code, one.output) == (
        0,
        'job 2 of queue "scans" is back in line; it runs again, alone\n',
    )


def test_payments_end_as_their_page_says(redis_url: str, prefix: str, tmp_path: Path) -> None:
    said = run_example("payments.py", redis_url, prefix, tmp_path)

    (shown,) = (
        one for one in blocks_in(HOW_TO / "retry-and-give-up.md") if one.language == "console"
    )
    assert sorted(said) == sorted(shown.text.splitlines())


def shown_by(page: str) -> list[str]:
    """Return what a page says that its program prints."""
    (shown,) = (one for one in blocks_in(HOW_TO / page) if one.language == "console")
    return shown.text.splitlines()


def test_a_report_waits_for_takings_as_its_page_says(
    redis_url: str, prefix: str, tmp_path: Path
) -> None:
    said = run_example("reports.py", redis_url, prefix, tmp_path)

    told = [line for line in said if "[warning" not in line]
    assert sorted(told) == sorted(shown_by("wait-for-other-jobs.md"))


def test_a_search_runs_once_as_its_page_says(redis_url: str, prefix: str, tmp_path: Path) -> None:
    said = run_example("search.py", redis_url, prefix, tmp_path)

    assert sorted(said) == sorted(shown_by("add-a-job-only-once.md"))


def test_a_mail_room_is_as_its_page_says(redis_url: str, prefix: str, tmp_path: Path) -> None:
    said = run_example("mail_room.py", redis_url, prefix, tmp_path)

    (shown,) = (
        one for one in blocks_in(HOW_TO / "look-after-a-queue.md") if one.language == "console"
    )
    looked = shown.text.splitlines()
    rest = [line for line in said if not line.startswith("completed: ")]
    assert rest == [
        *looked,
        "removed: True",
        "paused: True",
        "invoice in invoices, copy in archive",
        "telegram to Eve",
        "parcel to Fay",
        "parcel to Gus",
        "card to Bob",
        "card to Ada",
        "somebody paused mail",
    ]
    heard = [line.rpartition(" ")[2] for line in said if line.startswith("completed: ")]
    assert heard == ["Eve", "Fay", "Gus", "Bob", "Ada"]


def test_a_night_shift_is_as_its_page_says(redis_url: str, prefix: str, tmp_path: Path) -> None:
    said = run_example("night_shift.py", redis_url, prefix, tmp_path)

    (shown,) = (
        one for one in blocks_in(HOW_TO / "retry-clean-and-limit.md") if one.language == "console"
    )
    assert [line for line in said if "job failed" not in line] == shown.text.splitlines()


@pytest.mark.parametrize(
    ("example", "page"),
    [
        ("invoices.py", "resume-a-job-where-it-left.md"),
        ("trials.py", "wait-in-the-middle-of-a-job.md"),
        ("digests.py", "wait-for-children.md"),
        ("books.py", "chain-children.md"),
        ("front_desk.py", "work-a-queue-by-hand.md"),
        ("print_shop.py", "cancel-or-hold-a-job.md"),
    ],
)
def test_a_program_does_as_its_page_says(
    redis_url: str, prefix: str, tmp_path: Path, example: str, page: str
) -> None:
    said = run_example(example, redis_url, prefix, tmp_path)

    (shown,) = (one for one in blocks_in(HOW_TO / page) if one.language == "console")
    logged = [line for line in said if "job failed" in line]
    assert [line for line in said if line not in logged] == shown.text.splitlines()


def test_an_almanac_is_as_its_page_says(redis_url: str, prefix: str, tmp_path: Path) -> None:
    said = run_example("almanac.py", redis_url, prefix, tmp_path)

    (shown,) = (
        one for one in blocks_in(HOW_TO / "run-jobs-on-a-schedule.md") if one.language == "console"
    )
    told = [line for line in said if "schedule added" not in line]
    assert told == shown.text.splitlines()


def test_a_stand_in_takes_the_place_of_what_is_provided(tmp_path: Path) -> None:
    with command("new", "shop", cwd=tmp_path) as new:
        assert new.ends() == 0, new.output
    project = tmp_path / "shop"
    (project / "shop" / "orders.py").write_text((EXAMPLES / "orders.py").read_text())
    (project / "tests" / "test_orders.py").write_text((EXAMPLES / "test_orders.py").read_text())

    said = run_python("-m", "pytest", "tests/test_orders.py", cwd=project)

    assert "1 passed" in said


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
