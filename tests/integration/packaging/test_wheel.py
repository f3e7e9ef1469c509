"""What is published: the wheel's contents, and a project that comes out of it."""

import signal
import socket
import subprocess
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.integration.packaging.conftest import (
    build,
    clean_environment,
    copy_sources,
    run,
)
from tests.support.command import Command


def test_the_wheel_holds_the_package_and_the_template(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    clone = wheel.parents[1]
    folders = {"framework": clone / "framework", "framework/_template": clone / "app_template"}
    wanted = {
        f"{place}/{path.relative_to(folder).as_posix()}"
        for place, folder in folders.items()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert {name for name in names if ".dist-info/" not in name} == wanted
    assert {"framework/py.typed", "framework/_template/.env.example"} < wanted


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        headers = HeaderParser().parsestr(archive.read(metadata).decode())
        (entry_points,) = (one for one in archive.namelist() if one.endswith("/entry_points.txt"))
        commands = archive.read(entry_points).decode()

    assert {"dev", "embedded", "speed", "testing", "web"} <= set(
        headers.get_all("Provides-Extra", [])
    )
    assert headers["License-Expression"] == "MIT"
    assert "framework = framework.cli.main:main" in commands


def test_a_source_distribution_is_enough_to_build_the_wheel(wheel: Path) -> None:
    (archive,) = wheel.parent.glob("*.tar.gz")

    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}

    assert {
        ".ci/build_hook.py",
        "app_template/.gitignore",
        "app_template/tests/conftest.py",
    } < names


@pytest.mark.parametrize("path", [".env", ".framework/data/appendonly.aof", ".venv/pyvenv.cfg"])
def test_a_build_fails_while_the_template_holds_what_git_ignores(tmp_path: Path, path: str) -> None:
    sources = copy_sources(tmp_path / "clone")
    stray = sources / "app_template" / path
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_text("REDIS_URL=redis://:secret@production")

    done = build(sources, "--wheel")

    assert done.code != 0
    outermost = f"app_template/{path.partition('/')[0]}"
    assert f"holds what git ignores: {outermost}. Remove it and build again" in done.output
    assert not list(sources.glob("dist/*"))


def test_caches_do_not_get_into_the_wheel(tmp_path: Path) -> None:
    sources = copy_sources(tmp_path / "clone")
    cache = sources / "app_template" / "starter" / "__pycache__" / "web.cpython-311.pyc"
    cache.parent.mkdir()
    cache.touch()

    assert build(sources, "--wheel").code == 0

    (wheel,) = sources.glob("dist/*.whl")
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if "__pycache__" in name]


def test_a_project_from_the_wheel_passes_its_tests(scripts: Path, tmp_path: Path) -> None:
    made = run(scripts / "framework", "new", "shop", cwd=tmp_path)
    assert made.code == 0, made.output
    assert "This environment lacks" not in made.output

    tested = run(scripts / "python", "-m", "pytest", cwd=tmp_path / "shop")

    assert tested.code == 0, tested.output
    where = run(scripts / "python", "-c", "import framework as f; print(f.__file__)", cwd=tmp_path)
    assert where.output.startswith(str(scripts.parent))


def test_a_project_from_the_wheel_runs(scripts: Path, tmp_path: Path) -> None:
    made = run(scripts / "framework", "new", "shop", cwd=tmp_path)
    assert made.code == 0, made.output
    port = free_port()

    process = subprocess.Popen(  # noqa: S603 - our own command
        [scripts / "framework", "dev", "shop", "--port", str(port)],
        cwd=tmp_path / "shop",
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    dev = Command(process)
    with process, killed_at_the_end(process):
        dev.says(f"  web      http://127.0.0.1:{port}\n")
        dev.says("worker ready")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/demo/echo?msg=hi") as answer:
            body = answer.read()
        dev.says('completed "echo" id=1')
        started = post(f"http://127.0.0.1:{port}/tasks/picture", b'{"title": "Home"}')
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            page = answer.read().decode()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/framework-web/index.js") as answer:
            module = answer.headers["content-type"]
        dev.send(signal.SIGINT)
        code = dev.ends()

    assert body == b'{"queued":true,"jobId":"1","type":"echo","msg":"hi"}'
    assert started == 202
    assert "<title>shop</title>" in page
    assert "javascript" in module
    assert code == 0


def post(url: str, body: bytes) -> int:
    """Send JSON and return the status of the answer."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
        status: int = answer.status
        return status


@contextmanager
def killed_at_the_end(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a process that still runs, as it does after a failed assertion."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
