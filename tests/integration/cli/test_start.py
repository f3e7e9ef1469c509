"""What a start says when something that is declared cannot work."""

from pathlib import Path

from tests.support.command import command, write_package

UNABLE = """
    from framework import Job, processor, provider

    class Database: ...

    @provider
    def database() -> Database:
        raise ConnectionError("db down")

    @processor("greetings")
    class Greeter:
        def __init__(self, database: Database) -> None: ...
        async def process(self, job: Job[str]) -> None: ...
"""
BAD_DEFAULTS = """
    from framework import Job, JobOptions, processor

    @processor("greetings", defaults=JobOptions(attempts=-1))
    async def greet(job: Job[str]) -> None: ...
"""


def test_a_provider_that_raises_is_named_with_its_place(tmp_path: Path, redis_url: str) -> None:
    write_package(tmp_path, "shop", mail=UNABLE)

    with command("run", "shop", cwd=tmp_path, environment={"REDIS_URL": redis_url}) as run:
        code = run.ends()

    assert code == 69
    assert "shop/mail.py:8: what shop.mail.Greeter needs could not be made" in run.output
    assert "ConnectionError: db down" in run.output
    assert "Traceback" not in run.output


def test_defaults_out_of_range_are_found_at_start(tmp_path: Path) -> None:
    write_package(tmp_path, "shop", mail=BAD_DEFAULTS)

    with command("run", "shop", cwd=tmp_path) as run:
        code = run.ends()

    assert code == 78
    assert "attempts: it is a whole number from 0" in run.output


def test_the_release_can_be_asked_for(tmp_path: Path) -> None:
    with command("--version", cwd=tmp_path) as run:
        code = run.ends()

    assert code == 0
    assert run.output.startswith("framework ")


def test_a_crash_at_import_is_told_with_its_place(tmp_path: Path, redis_url: str) -> None:
    write_package(tmp_path, "shop", mail="import os; os.abort()")

    with command("run", "shop", cwd=tmp_path, environment={"REDIS_URL": redis_url}) as run:
        code = run.ends()

    assert code == 70
    assert "worker died before it took jobs" in run.output
    assert "SIGABRT" in run.output
    assert "mail.py" in run.output


def test_a_wrong_address_of_redis_is_told_once(tmp_path: Path) -> None:
    write_package(tmp_path, "shop", mail=BAD_DEFAULTS.replace("-1", "1"))

    with command("run", "shop", cwd=tmp_path, environment={"REDIS_URL": "http://here"}) as run:
        code = run.ends()

    assert code == 78
    assert run.output.count("REDIS_URL cannot be used") == 1
