"""Users of an embedded server in processes of their own, which a test may kill."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from framework.server import find_binary
from framework.server.locks import Lock, pauses

USER = """
import json, os, sys, time
from pathlib import Path
from framework.server import EmbeddedServer

settings = json.loads(sys.argv[1])
if "binary" in settings:
    settings["binary"] = Path(settings["binary"])
server = EmbeddedServer(Path(sys.argv[2]), **settings)
answers = {
    "start": lambda: server.start().url,
    "close": server.close,
    "keep": server.keep,
    "fork": lambda: os.fork() or time.sleep(60),
}
for line in sys.stdin:
    try:
        print(json.dumps(answers[line.strip()]()), flush=True)
    except Exception as error:
        print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
os._exit(0)
"""


class User:
    """A process that does with its embedded server as it is told."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-c", USER, json.dumps(settings), str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def send(self, order: str) -> None:
        assert self.process.stdin is not None
        print(order, file=self.process.stdin, flush=True)

    def answer(self) -> object:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def does(self, order: str) -> object:
        self.send(order)
        return self.answer()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def leave_without_a_word(self) -> None:
        self.process.communicate()


def until(condition: Callable[[], bool], message: str, *, within: float = 15.0) -> None:
    assert any(condition() for _ in pauses(within)), f"{message} within {within:g} s"


def is_gone(data_dir: Path) -> bool:
    """The kernel's word on it: no server holds the data."""
    return not is_held(data_dir / "data.lock")


def is_held(path: Path) -> bool:
    with Lock(path) as lock:
        return not lock.is_free()


def client(url: str) -> "redis.Redis":
    """A client that tries once."""
    return redis.Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=5, decode_responses=True
    )


def ping(url: str) -> bool:
    with client(url) as connected:
        return bool(connected.ping())


def write(url: str, key: str, value: str) -> None:
    with client(url) as connected:
        connected.set(key, value)


def read(url: str, key: str) -> str | None:
    with client(url) as connected:
        value = connected.get(key)
    assert value is None or isinstance(value, str)
    return value


def wrapper(folder: Path, *, before: str = "", after: str = "") -> Path:
    """A program that does something and then becomes the server, with more arguments."""
    script = folder / "wrapped-server"
    script.write_text(f'#!/bin/sh\n{before}\nexec "{find_binary()}" "$@" {after}\n')
    script.chmod(0o755)
    return script


def open_files(pid: int) -> set[str]:
    """The names of the files that a process has open; Linux only."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return {link.readlink().name for link in links if link.is_symlink()}
