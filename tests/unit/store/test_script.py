"""Composing Lua scripts from their headers and includes."""

from pathlib import Path

import pytest

from framework.store.script import FOLDER, load_script


def write(folder: Path, name: str, text: str) -> None:
    path = folder / f"{name}.lua"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_names_of_the_header_become_locals(tmp_path: Path) -> None:
    write(tmp_path, "do", "-- Does.\n--\n-- keys:    a b\n-- args:    x ...\n\nreturn a\n")

    script = load_script("do", tmp_path)

    assert script.text.splitlines() == [
        "local a, b = unpack(KEYS)",
        "local x = unpack(ARGV, 1, 1)",
        "local rest = 1",
        "return a",
    ]
    assert (script.keys, script.args) == (("a", "b"), ("x",))


def test_a_header_goes_on_over_lines(tmp_path: Path) -> None:
    write(tmp_path, "do", "-- Does.\n-- keys:    a\n--          b\n-- returns: c\n\nreturn 1\n")

    assert load_script("do", tmp_path).keys == ("a", "b")


def test_each_include_is_inlined_once_and_before_its_users(tmp_path: Path) -> None:
    write(tmp_path, "lib/base", "local base = 1\n")
    write(tmp_path, "lib/one", "-- include: lib/base\nlocal one = base\n")
    write(tmp_path, "do", "-- Does.\n-- include: lib/one lib/base\n\nreturn one\n")

    script = load_script("do", tmp_path)

    assert script.text.splitlines() == ["local base = 1", "local one = base", "return one"]


def test_includes_that_go_round_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "lib/one", "-- include: lib/two\n")
    write(tmp_path, "lib/two", "-- include: lib/one\n")
    write(tmp_path, "do", "-- Does.\n-- include: lib/one\n")

    with pytest.raises(ValueError, match="do -> lib/one -> lib/two -> lib/one"):
        load_script("do", tmp_path)


def test_an_include_that_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path, "do", "-- Does.\n-- include: lib/none\n")

    with pytest.raises(ValueError, match=r"do\.lua includes lib/none"):
        load_script("do", tmp_path)


def test_a_lazy_function_is_made_when_it_is_called(tmp_path: Path) -> None:
    write(tmp_path, "lib/base", "local base = 1\n")
    write(tmp_path, "lib/inner", "local inner = 2\n")
    one = "-- include: lib/base lib/inner\nlocal function one()\nreturn base + inner\nend\n"
    write(tmp_path, "lib/one", one)
    write(tmp_path, "lib/two", '-- lazy: lib/one:one\nlocal two = seldom("one")\n')
    write(tmp_path, "do", "-- Does.\n-- include: lib/base lib/two\n\nreturn two()\n")

    script = load_script("do", tmp_path)

    assert script.text.splitlines() == [
        "local base = 1",
        *("local function seldom(which, ...)", 'if which == "one" then'),
        *("local inner = 2", "local function one()", "return base + inner", "end"),
        *("return one(...)", "end", "end"),
        'local two = seldom("one")',
        "return two()",
    ]


def test_a_lazy_function_that_is_not_there_is_named(tmp_path: Path) -> None:
    write(tmp_path, "lib/one", "local one = 1\n")
    write(tmp_path, "do", "-- Does.\n-- lazy: lib/one:two\n")

    with pytest.raises(ValueError, match=r"do\.lua calls lib/one:two lazy"):
        load_script("do", tmp_path)


NAMES = sorted(path.stem for path in FOLDER.glob("*.lua"))


@pytest.mark.parametrize("name", NAMES)
def test_no_script_reads_a_clock_or_draws_lots(name: str) -> None:
    text = load_script(name).text

    assert '"TIME"' not in text
    assert "math.random" not in text


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.lua")), ids=lambda path: path.stem)
def test_every_script_is_short_and_says_what_it_does(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert lines[0].startswith("-- ")
    assert len(lines) <= 150
