"""Load, compose and hash the Lua scripts in ``lua/``.

A script's header is its contract. Its ``keys:`` and ``args:`` become locals, ``rest``
is how many arguments stand before those that repeat, and each ``include:`` is inlined
once. What a call seldom needs stands under ``lazy:``, as a file and a function in it, and is
called as ``seldom("forget", ...)``: the file's functions are made then, since to make and to
collect them takes longer than many a command:

    -- keys:    wait active marker
    -- args:    now_ms count ...
    -- include: lib/events
    -- lazy:    lib/removal:forget
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "lua"


@dataclass(frozen=True, slots=True)
class Script:
    """A script ready to be called.

    Attributes:
        name: The file's name without its ending.
        text: The composed Lua.
        sha: What ``EVALSHA`` takes.
        keys: The words of its keys, in order.
        args: The words of its leading arguments, in order.
    """

    name: str
    text: str
    sha: str
    keys: tuple[str, ...]
    args: tuple[str, ...]


def load_script(name: str, folder: Path = FOLDER) -> Script:
    """Read ``NAME.lua``, put its includes and locals in, and hash the result.

    Raises:
        ValueError: An include is missing or includes itself, or a lazy function is not there.
    """
    source = (folder / f"{name}.lua").read_text()
    keys, args = header(source, "keys"), header(source, "args")
    parts: list[str] = []
    if keys:
        parts.append(f"local {', '.join(keys)} = unpack(KEYS)")
    named = tuple(arg for arg in args if arg != "...")
    if named:
        parts.append(f"local {', '.join(named)} = unpack(ARGV, 1, {len(named)})")
    if "..." in args:
        parts.append(f"local rest = {len(named)}")
    seen: dict[str, str] = {}
    for include in header(source, "include"):
        inline(include, folder, seen, trail=(name,))
    own = with_lazy(header(source, "lazy"), body(source), folder, seen, (name,))
    text = "\n".join([*parts, *seen.values(), own])
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(name, text, sha, keys, named)


def inline(include: str, folder: Path, seen: dict[str, str], trail: tuple[str, ...]) -> None:
    """Add an include's text to ``seen``, after those that it needs itself."""
    if include in trail:
        raise ValueError(f"Lua includes go round: {' -> '.join((*trail, include))}")
    if include in seen:
        return
    path = folder / f"{include}.lua"
    if not path.is_file():
        raise ValueError(f"{trail[-1]}.lua includes {include}, which is not in {folder}")
    inner_ones, lazy, text = read_include(path)
    for inner in inner_ones:
        inline(inner, folder, seen, (*trail, include))
    seen[include] = with_lazy(lazy, text, folder, seen, (*trail, include))


def with_lazy(
    entries: Sequence[str], text: str, folder: Path, seen: dict[str, str], trail: tuple[str, ...]
) -> str:
    """Return Lua with what its header calls lazy before it.

    Args:
        entries: Of the form ``lib/file:function``. One function for all of them, ``seldom``, makes
            the one that it is asked for, with all that this includes, and calls it.
        text: The Lua.
        folder: Where ``lib`` is.
        seen: What is inlined before; it is not repeated.
        trail: Who asks.
    """
    if not entries:
        return text
    parts = ["local function seldom(which, ...)"]
    for entry in entries:
        include, _, function = entry.partition(":")
        within = dict(seen)
        inline(include, folder, within, trail)
        made = [text for name, text in within.items() if name not in seen]
        if f"local function {function}(" not in within[include]:
            raise ValueError(f"{trail[-1]}.lua calls {entry} lazy, which is not there")
        parts += [f'if which == "{function}" then', *made, f"return {function}(...)", "end"]
    parts.append("end")
    return "\n".join([*parts, text])


@lru_cache(maxsize=64)
def read_include(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return what an include includes itself, what is lazy, and its Lua; many scripts share it."""
    source = path.read_text()
    return header(source, "include"), header(source, "lazy"), body(source)


def header(source: str, field: str) -> tuple[str, ...]:
    """Return the words of one header field; it may go on over several lines."""
    words: list[str] = []
    inside = False
    for line in source.splitlines():
        if not line.startswith("--"):
            break
        text = line[2:].strip()
        label, colon, rest = text.partition(":")
        if colon and label.isalpha() and not line.startswith("--  "):
            inside = label == field
            text = rest
        if inside:
            words += text.split()
    return tuple(words)


def body(source: str) -> str:
    """Return the Lua without comments and blank lines: the server keeps it in memory."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--"))
