"""Jobs that end their process among good ones, in each way, in each kind of processor."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from framework import Application, Settings
from framework.app.discovery import Declarations
from tests.support.poison import poison_among_good_ones

# How soon good jobs begin again after any crash.
WITHIN = 2.0


@pytest.mark.parametrize("run_in", ["loop", "thread"])
@pytest.mark.parametrize("processes", [1, 2])
async def test_jobs_that_end_their_process_are_quarantined_and_no_other(
    tmp_path: Path, redis_url: str, prefix: str, run_in: str, processes: int
) -> None:
    told = {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix}
    settings = Settings(redis_url=SecretStr(redis_url), prefix=prefix)
    async with Application(Declarations("tests"), settings=settings) as app:
        pauses = await poison_among_good_ones(
            tmp_path,
            app.queue("greetings"),
            told,
            acts=("kill", "segfault", "exit"),
            run_in=run_in,
            processes=processes,
        )

    # With one process alone nobody works while it starts anew, which takes a second.
    assert max(pauses) < WITHIN
