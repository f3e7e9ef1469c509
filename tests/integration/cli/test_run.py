"""`framework run`: how it works, stops, and says what is wrong."""

import signal
import socket
from pathlib import Path

import pytest

from framework import Queue
from framework.store.store import Store
from framework.wire.keys import QueueKeys
from tests.support.command import command, write_package
from tests.support.until import until

GREETER = """
    import anyio
    from pydantic import BaseModel
    from framework import Job, processor

    class Greet(BaseModel):
        name: str
        seconds: float = 0

    @processor("greetings", concurrency=5)
    class Greeter:
        async def process(self, job: Job[Greet]) -> str:
            await anyio.sleep(job.data.seconds)
            return f"Hello, {job.data.name}!"
"""
GATED = """
    from pathlib import Path
    import anyio
    from framework import Job, processor

    @processor("greetings")
    async def greet(job: Job[dict[str, str]]) -> None:
        while not Path("go").exists():
            await anyio.sleep(0.01)
"""
BROKEN = "import a_module_that_is_not_there\n"
UNPROVIDED = """
    from pydantic import BaseModel
    from framework import Job, processor

    class Greet(BaseModel):
        name: str

    class Smtp: ...

    @processor("greetings")
    class Greeter:
        def __init__(self, smtp: Smtp) -> None: ...
        async def process(self, job: Job[Greet]) -> None: ...
"""
PLAIN = """
    from framework import Job, processor

    @processor("greetings")
    def greet(job: Job[str]) -> None: ...
"""


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("", ["no processor in package", "Searched: shop, shop.mail", "@processor"]),
        (BROKEN, ["shop/mail.py:1", "cannot import shop.mail", "a_module_that_is_not_there"]),
        (UNPROVIDED, ["shop/mail.py", "smtp: Smtp", "no provider for shop.mail.Smtp"]),
        (PLAIN, ["shop/mail.py", "plain def", 'run_in="thread"']),
    ],
    ids=["no processor", "import error", "missing provider", "sync without run_in"],
)
def test_what_cannot_run_ends_with_78_and_one_line(
    tmp_path: Path, source: str, texts: list[str]
) -> None:
    write_package(tmp_path, "shop", mail=source)

    with command("run", "shop", cwd=tmp_path) as run:
        code = run.ends()

    assert code == 78
    assert all(text in run.output for text in texts), run.output
    assert "Traceback" not in run.output


def test_an_unknown_package_is_named(tmp_path: Path) -> None:
    with command("run", "nosuch", cwd=tmp_path) as run:
        code = run.ends()

    assert code == 78
    assert "no package named nosuch" in run.output


def test_redis_that_is_not_there_ends_with_69(tmp_path: Path) -> None:
    write_package(tmp_path, "shop", mail=GREETER)
    nowhere = {"REDIS_URL": "redis://127.0.0.1:1", "FRAMEWORK_START_TIMEOUT": "0.5"}

    with command("run", "shop", cwd=tmp_path, environment=nowhere) as run:
        code = run.ends()

    assert code == 69
    assert "cannot reach redis at 127.0.0.1:1 (connection refused)" in run.output
    assert "REDIS_URL" in run.output
    assert "Traceback" not in run.output


def test_a_setting_that_is_wrong_is_named_without_its_value(tmp_path: Path) -> None:
    write_package(tmp_path, "shop", mail=GREETER)

    with command("run", "shop", cwd=tmp_path, environment={"REDIS_PORT": "s3cret"}) as run:
        code = run.ends()

    assert code == 78
    assert "REDIS_PORT" in run.output
    assert "s3cret" not in run.output


def environment_of(redis_url: str, prefix: str) -> dict[str, str]:
    return {"REDIS_URL": redis_url, "FRAMEWORK_PREFIX": prefix, "FRAMEWORK_SHUTDOWN_TIMEOUT": "10"}


async def test_sigterm_lets_running_jobs_end(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=GATED)
    job = await queue.add("greet", {"name": "Ada"})

    with command("run", "shop", cwd=tmp_path, environment=environment_of(redis_url, prefix)) as run:
        await until(lambda: _is(queue, job.id, "active"), timeout=15, message="the job began")
        run.send(signal.SIGTERM)
        run.says("stopping")
        (tmp_path / "go").touch()
        code = run.ends()

    assert code == 0
    assert await queue.state(job.id) == "completed"
    assert "Traceback" not in run.output


def test_sigterm_ends_a_start_that_waits_for_redis(tmp_path: Path) -> None:
    write_package(tmp_path, "shop", mail=GREETER)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(15)
        silent_url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        environment = {"REDIS_URL": silent_url, "FRAMEWORK_START_TIMEOUT": "60"}

        with command("run", "shop", cwd=tmp_path, environment=environment) as run:
            connection, _ = silent.accept()
            run.send(signal.SIGTERM)
            code = run.ends(timeout=4)
        connection.close()

    assert code == 0
    assert "worker ready" not in run.output
    assert "Traceback" not in run.output


async def test_a_second_signal_gives_running_jobs_back_unburnt(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=GREETER)
    job = await queue.add("greet", {"name": "Ada", "seconds": 600})

    with command("run", "shop", cwd=tmp_path, environment=environment_of(redis_url, prefix)) as run:
        await until(lambda: _is(queue, job.id, "active"), timeout=15, message="the job began")
        run.send(signal.SIGTERM)
        run.says("stopping")
        run.send(signal.SIGTERM)
        code = run.ends(timeout=5)

    given_back = await queue.job(job.id)
    assert code == 0
    assert await queue.state(job.id) == "waiting"
    assert given_back is not None
    assert given_back.attempts_made == 0


async def _is(queue: Queue, job_id: str, state: str) -> bool:
    return await queue.state(job_id) == state


async def test_a_queue_of_a_newer_release_is_refused(
    tmp_path: Path, redis_url: str, prefix: str, store: Store
) -> None:
    write_package(tmp_path, "shop", mail=GREETER)
    await store.command("HSET", QueueKeys(prefix, "greetings")["meta"], "x-fw.format", 99)

    with command("run", "shop", cwd=tmp_path, environment=environment_of(redis_url, prefix)) as run:
        code = run.ends()

    assert code == 78
    assert "holds format 99" in run.output
    assert "Upgrade this process" in run.output


THREAD = """
    import time
    from pydantic import BaseModel
    from framework import Job, processor

    class Greet(BaseModel):
        name: str

    @processor("greetings", run_in="thread")
    class Greeter:
        def process(self, job: Job[Greet]) -> None:
            time.sleep(600)
"""
FAILING = """
    from framework import Job, processor

    @processor("greetings")
    async def greet(job: Job[dict[str, str]]) -> None:
        raise ValueError("no such greeting")
"""


async def test_a_thread_that_does_not_end_holds_up_no_stop(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=THREAD)
    job = await queue.add("greet", {"name": "Ada"})

    with command("run", "shop", cwd=tmp_path, environment=environment_of(redis_url, prefix)) as run:
        await until(lambda: _is(queue, job.id, "active"), timeout=15, message="the job began")
        run.send(signal.SIGTERM)
        run.says("stopping")
        run.send(signal.SIGTERM)
        code = run.ends(timeout=5)

    assert code == 0
    assert await queue.state(job.id) == "waiting"


async def test_a_failed_job_is_told_though_no_hook_tells(
    tmp_path: Path, redis_url: str, prefix: str, queue: Queue
) -> None:
    write_package(tmp_path, "shop", mail=FAILING)
    await queue.add("greet", {"name": "Ada"})

    with command("run", "shop", cwd=tmp_path, environment=environment_of(redis_url, prefix)) as run:
        run.says("job failed")

    assert "no such greeting" in run.output
    assert "greetings" in run.output
    assert "Ada" not in run.output
