"""The page for shells does what it says: its commands run against a live gateway."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from framework_gateway import Gateway
from tests.integration.docs.pages import EXAMPLES, REPOSITORY, blocks_in
from tests.plugins.gateway.conftest import KEY
from tests.support.servers import free_port
from tests.support.until import until

PAGE = REPOSITORY / "docs" / "how-to" / "use-queues-from-a-shell.md"
TIMES = re.compile(r"\d{13}")


@asynccontextmanager
async def endpoint(gateway: str) -> AsyncIterator[str]:
    """Run the page's endpoint; yield its URL."""
    port = free_port()
    environment = {"GATEWAY": gateway, "PORT": str(port)}
    command = [sys.executable, str(EXAMPLES / "shrink_endpoint.py")]
    process = await anyio.open_process(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        await until(lambda: listens(port), timeout=10)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        await process.wait()
        await process.aclose()


async def listens(port: int) -> bool:
    try:
        line = await anyio.connect_tcp("127.0.0.1", port)
    except OSError:
        return False
    await line.aclose()
    return True


@pytest.mark.skipif(
    not Path("/usr/bin/curl").exists() and not Path("/bin/curl").exists(), reason="no curl"
)
async def test_the_commands_of_the_page_do_what_it_says(
    gateway: Gateway, prefix: str, tmp_path: Path
) -> None:
    blocks = blocks_in(PAGE)
    parts = [block.text for block in blocks if block.language == "sh"]
    (added,) = (block.text for block in blocks if block.language == "json")
    (seen,) = (block.text for block in blocks if block.language == "text")
    base = f"http://127.0.0.1:{gateway.port}"

    # A line between the answers of two parts; what runs behind ends with the shell.
    script = "trap 'kill $(jobs -p) 2>/dev/null' EXIT\n" + "\necho; echo ----\n".join(parts)
    async with endpoint(base) as url:
        environment = {"GATEWAY": base, "AUTH": f"Authorization: Bearer {KEY}", "ENDPOINT": url}
        with anyio.fail_after(30):
            done = await anyio.run_process(
                ["bash", "-e", "-c", script],
                env={**environment, "PATH": "/usr/bin:/bin"},
                cwd=tmp_path,
                stderr=subprocess.STDOUT,
            )
    answers = [part.strip() for part in done.stdout.decode().split("----\n")]

    assert TIMES.sub("T", answers[0]) == TIMES.sub("T", added.strip()).replace(
        "bull:", f"{prefix}:"
    )
    assert answers[2] == "OK"
    assert answers[3].replace("}data:", "}\ndata:") == seen.strip()
    listed, end = answers[4][:-2], answers[4][-2:]
    assert json.loads(listed)["counts"] == {"completed": 1, "failed": 0}
    assert end == "OK"
