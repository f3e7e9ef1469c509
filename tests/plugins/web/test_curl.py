"""All of it from a shell, with nothing but curl."""

import json
import subprocess
import uuid
from pathlib import Path

import anyio
import pytest

from framework.app.application import Application
from tests.plugins.web.serving import gate, resize, serving
from tests.support.apps import Open
from tests.support.until import until


async def curl(*arguments: str) -> str:
    """Run curl; return what it printed."""
    command = ["curl", "-sS", "--max-time", "10", *arguments]
    with anyio.fail_after(15):
        done = await anyio.run_process(command, stderr=subprocess.STDOUT)
    return done.stdout.decode()


@pytest.fixture
def app(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> Application:
    monkeypatch.setenv("FRAMEWORK_WEB_KEYS", "the-key")
    return open_app(resize, plugins=("web",))


async def test_a_task_is_started_followed_read_and_aborted(
    app: Application, tmp_path: Path
) -> None:
    heard = tmp_path / "heard"
    async with serving(app) as web:
        base, key = str(web.base_url).rstrip("/"), "Authorization: Bearer the-key"
        name = uuid.uuid4().hex

        async def begin(**data: object) -> str:
            body = json.dumps({"width": 5, **data})
            told = await curl("-H", key, "--json", body, f"{base}/tasks/resize")
            return base + str(json.loads(told)["links"]["self"])

        at, other = await begin(gate=name), await begin(gate=uuid.uuid4().hex)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(curl, "-N", "-H", key, "-o", str(heard), f"{at}/events")
            await until(lambda: heard.exists() and heard.read_text(), message="it is followed")
            gate(name).set()
        found = json.loads(await curl("-H", key, at))
        aborted = json.loads(await curl("-H", key, "-X", "DELETE", other))
        refused = await curl("-o", "-", "-w", "%{http_code} %{content_type}", at)

    lines = heard.read_text().splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("event:")]
    assert (names[0], names[-1]) == ("snapshot", "completed")
    assert (found["state"], found["result"]) == ("completed", {"width": 5})
    assert aborted["effect"] in {"asked", "done"}
    assert refused.endswith("401 application/problem+json")
