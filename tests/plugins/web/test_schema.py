"""Requests that schemathesis makes up of the OpenAPI document: none is answered by a 500."""

import os
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel, Field

from framework import Job
from framework_web import task
from tests.plugins.web.serving import serving
from tests.support.apps import Open

SECONDS = 100
# What it makes up for text that must not fit may fit all the same, and the other way round.
LEFT_OUT = "negative_data_rejection,positive_data_acceptance"


class Order(BaseModel):
    amount: int = Field(gt=0)
    price: Decimal | None = None
    due: datetime | None = None
    lines: dict[str, list[float]] = {}


@task("order", attempts=1)
async def order(job: Job[Order]) -> dict[str, object]:
    return job.data.model_dump(mode="json")


@task("anything", attempts=1)
async def anything(job: Job[Any]) -> object:
    return job.data


async def test_schemathesis_finds_nothing(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FRAMEWORK_WEB_OPEN", "true")
    monkeypatch.setenv("FRAMEWORK_WEB_RATE_LIMIT", "0")
    async with serving(open_app(order, anything, plugins=("web",))) as web:
        base = str(web.base_url).rstrip("/")
        command: list[str | Path] = [Path(sys.executable).with_name("st"), "run"]
        command += [f"{base}/tasks/openapi.json", "--origin", base, "--seed", "7"]
        command += ["--max-examples", "10", "--request-timeout", "0.5", "--no-color"]
        command += ["--exclude-checks", LEFT_OUT, "--continue-on-failure", "--warnings", "off"]
        environment = {**os.environ, "HOME": str(tmp_path)}
        with anyio.fail_after(SECONDS):
            done = await anyio.run_process(
                command, check=False, cwd=tmp_path, env=environment, stdin=None
            )

    told = done.stdout.decode()
    assert done.returncode == 0, told
    assert "Tested: 15" in told, told
