"""The page for other languages does what it says: its programs run against a live gateway."""

import os
import re
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from framework import Application, JobState
from framework_gateway import Gateway
from tests.integration.docs.pages import EXAMPLES, REPOSITORY, blocks_in
from tests.plugins.gateway.conftest import KEY
from tests.support.node_process import PEER, node_binary

PAGE = REPOSITORY / "docs" / "how-to" / "use-queues-from-any-language.md"


def command_of(language: str, folder: Path) -> list[str]:
    """Return how a program of the page is run."""
    if language != "js":
        return [sys.executable, str(EXAMPLES / f"{language}.py")]
    program = folder / "depot.mjs"
    program.write_text((EXAMPLES / "depot.mjs").read_text())
    (folder / "node_modules").symlink_to(PEER.parent / "node_modules")
    return [node_binary(), str(program)]


@pytest.mark.parametrize("language", ["courier", "depot", "js"])
async def test_the_programs_of_the_page_do_what_it_says(
    gateway: Gateway, app: Application, language: str, tmp_path: Path
) -> None:
    (told,) = (block.text for block in blocks_in(PAGE) if block.language == "text")
    where = {"GATEWAY": f"ws://127.0.0.1:{gateway.port}", "TOKEN": KEY}

    with anyio.fail_after(30):
        done = await anyio.run_process(
            command_of(language, tmp_path),
            env={**os.environ, **where},
            stderr=subprocess.STDOUT,
        )

    own_ids = "parcel-" if language == "courier" else ""
    said = re.sub(r" (True|False)$", "", done.stdout.decode(), flags=re.MULTILINE)
    if own_ids:
        assert own_ids in said
        said = said.replace(own_ids, "")
    assert sorted(said.splitlines()) == told.splitlines()
    queue = app.queue("parcels")
    assert (await queue.counts())[JobState.COMPLETED] == 2
    failed = await queue.job(f"{own_ids}2")
    assert failed is not None
    assert (failed.failed_reason, failed.attempts_made) == ("no such parcel", 1)
    assert await queue.logs(f"{own_ids}3") == ["packed parcel 3"]


def test_the_page_shows_the_program_for_node_in_full() -> None:
    (shown,) = (block.text for block in blocks_in(PAGE) if block.language == "js")

    assert (EXAMPLES / "depot.mjs").read_text().split("\n", 1)[1] == shown
