"""The plugin that a page has its reader write, installed and asked."""

import json
import os
import socket
import sys
import tomllib
import urllib.request
from pathlib import Path

from tests.integration.docs.pages import EXAMPLES, REPOSITORY, blocks_in
from tests.support.command import command, write_package
from tests.support.plugins import write_plugin

PAGE = REPOSITORY / "docs" / "how-to" / "write-a-plugin.md"
FILES = ("shift_log.py", "shift_log_web.py", "shift_log_cli.py")
JOBS = """
    from framework import Every, Job, Schedule, processor
    from datetime import timedelta
    from pydantic import BaseModel

    class Tick(BaseModel): ...

    @processor("ticks")
    async def tick(job: Job[Tick]) -> None: ...
"""
WEB = """
    from fastapi import FastAPI
    from framework.asgi import lifespan
    from framework import Producer
    from framework.asgi import inject
    from starlette.requests import Request
    from shop.jobs import Tick

    api = FastAPI(lifespan=lifespan("shop", work=True))

    @api.post("/ticks")
    async def tick(request: Request) -> str:
        ticks = await inject(Producer[Tick, None])(request)
        await ticks.result(await ticks.add(Tick()))
        return "done"
"""


def test_the_plugin_of_the_page_does_as_it_says(
    redis_url: str, prefix: str, tmp_path: Path
) -> None:
    (toml,) = (one for one in blocks_in(PAGE) if one.language == "toml")
    ((name, value),) = tomllib.loads(toml.text)["project"]["entry-points"][
        "framework.plugins"
    ].items()
    sources = {file: (EXAMPLES / file).read_text() for file in FILES}
    site = write_plugin(tmp_path / "site", name, sources, value=value)
    write_package(tmp_path, "shop", jobs=JOBS, web=WEB)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PYTHONPATH": os.pathsep.join([str(site), *sys.path]),
        "FRAMEWORK_REDIS_URL": redis_url,
        "FRAMEWORK_PREFIX": prefix,
        "PORT": str(port),
    }

    with command("dev", "shop", "--no-reload", cwd=tmp_path, environment=environment) as dev:
        url = f"http://127.0.0.1:{port}"
        dev.says(f"{url}\n")
        for _ in range(4):
            urllib.request.urlopen(f"{url}/ticks", b"").close()  # noqa: S310 - our own server
        asked = ["shift", "--port", str(port)]
        with command(*asked, cwd=tmp_path, environment=environment) as shift:
            assert shift.ends() == 0, shift.output

    # The workers beside the web app may have taken some of them.
    assert json.loads(shift.output).keys() <= {"completed"}
