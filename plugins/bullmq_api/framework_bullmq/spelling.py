"""Names in two spellings: BullMQ's camelCase, and Python's snake_case beside it."""

import difflib
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from framework import OptionsError

NOTHING: Mapping[str, str] = MappingProxyType({})
NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def camel(name: str) -> str:
    """Return ``removeOnFail`` for ``remove_on_fail``; what is camelCase stays."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def snake(name: str) -> str:
    """Return ``remove_on_fail`` for ``removeOnFail``."""
    return NEW_WORD.sub("_", name).lower()


def read_options(
    what: str,
    given: object,
    known: Collection[str],
    refused: Mapping[str, str] = NOTHING,
) -> dict[str, Any]:
    """Return options by their camelCase names, those that are None left out.

    Args:
        what: Whose they are, for errors: ``Worker``.
        given: A dictionary, its keys in either spelling; None for none.
        known: The names that there are.
        refused: Names that BullMQ has, and why they are refused here.

    Raises:
        OptionsError: No dictionary, a name that there is not, one that is refused, or one
            that is given in both spellings.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise OptionsError(what, f"its options are a dictionary, got a {type(given).__name__}")
    found: dict[str, Any] = {}
    for name, value in given.items():
        option = camel(name) if isinstance(name, str) and name not in known else name
        if option in refused:
            raise OptionsError(option, f"{what} refuses it: {refused[option]}")
        if option not in known:
            raise OptionsError(str(name), f"{what} has no such option{meant(option, known)}")
        if option in found:
            raise OptionsError(option, "it is given in both spellings")
        if value is not None:
            found[option] = value
    return found


def meant(option: object, known: Collection[str]) -> str:
    """Say which name may have been meant, and which there are."""
    near = difflib.get_close_matches(str(option), known, n=1)
    first = f"; did you mean {near[0]}?" if near else "."
    return f"{first} There are: {', '.join(sorted(known))}"
