"""The page about tasks, run as a reader runs it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.docs.pages import EXAMPLES, REPOSITORY, blocks_in
from tests.support.command import FOREIGN

PAGE = REPOSITORY / "docs" / "how-to" / "start-and-watch-tasks.md"


def test_the_darkroom_does_what_the_page_says(redis_url: str, prefix: str, tmp_path: Path) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    told = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "REDIS_URL": redis_url,
        "FRAMEWORK_PREFIX": prefix,
        "FRAMEWORK_LOG_LEVEL": "error",
    }

    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, EXAMPLES / "darkroom.py"],
        cwd=tmp_path,
        env={**kept, **told},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    (watched,) = (one.text for one in blocks_in(PAGE) if one.language == "text")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("20")]
    assert done.returncode == 0, done.stderr
    assert lines == [
        "harbour.jpg",
        "True bridge.jpg",
        *watched.splitlines(),
        "not yet",
        "cancelled",
        "None",
        "blank: there is nothing on the film, tried 2 times",
        "all again: 1",
        "harbour.jpg, but larger",
    ]
