"""Reads ``framework run PACKAGE`` with plain options, before what reads all commands is imported.

To import that takes a third as long as all that a worker process imports, and none could begin
before. A line that is not entirely plain is left to it; wrong ones too, so that it words errors.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

WORDS = {"": "package", "--only": "only", "--exclude": "exclude"}
# The least and the most of each, as the command declares them.
NUMBERS = {
    "--processes": ("processes", 1, 10_000),
    "-p": ("processes", 1, 10_000),
    "--health-port": ("health_port", 0, 65535),
    "--max-jobs": ("max_jobs", 1, 10**12),
    "--max-rss": ("max_rss", 1, 10**9),
}
FROM_ENVIRONMENT = ("--processes", "--max-jobs", "--max-rss")


class PlainRun(TypedDict):
    """What `run_package` is called with."""

    package: str
    only: tuple[str, ...]
    exclude: tuple[str, ...]
    processes: int
    max_jobs: int | None
    max_rss: int | None
    health_port: int | None


def read_plain_run(line: Sequence[str], environment: Mapping[str, str]) -> PlainRun | None:
    """Return what a command line asks for; None if it is no plain run under a supervisor."""
    if line[:1] != ["run"] or any(name.endswith("_COMPLETE") for name in environment):
        return None
    words: dict[str, list[str]] = {"only": [], "exclude": [], "package": []}
    numbers: dict[str, int] = {}
    for option, said in (*from_environment(environment), *in_pairs(line[1:])):
        if not said or said.startswith("-"):
            return None
        if option in WORDS:
            words[WORDS[option]].append(said)
        elif option in NUMBERS and is_number(said, *NUMBERS[option][1:]):
            numbers[NUMBERS[option][0]] = int(said)
        else:
            return None
    if len(words["package"]) != 1:
        return None
    return PlainRun(
        package=words["package"][0],
        only=split(words["only"]),
        exclude=split(words["exclude"]),
        processes=numbers.get("processes", 1),
        max_jobs=numbers.get("max_jobs"),
        max_rss=numbers.get("max_rss"),
        health_port=numbers.get("health_port"),
    )


def is_number(said: str, least: int, most: int) -> bool:
    """Tell whether a text is a whole number of a range, written in no special way."""
    return said.isascii() and said.isdigit() and least <= int(said[:20]) <= most


def from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the options that environment variables give."""
    for option in FROM_ENVIRONMENT:
        said = environment.get(f"FRAMEWORK_{option.strip('-').replace('-', '_').upper()}")
        if said is not None:
            yield option, said


def in_pairs(line: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option with what it says; "" stands for none, and before what is no option."""
    words = iter(line)
    for word in words:
        if not word.startswith("-"):
            yield "", word
        elif word.startswith("--") and "=" in word:
            option, _, said = word.partition("=")
            yield option, said
        else:
            yield word, next(words, "")


def split(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of an option that may be repeated, or hold commas."""
    return tuple(part for name in names for part in name.split(",") if part)
