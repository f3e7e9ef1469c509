"""Warns of settings in the environment or ``.env`` that nothing reads: misspelt ones."""

import difflib
from collections.abc import Iterator, Sequence

import structlog
from pydantic import AliasChoices
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from framework.app.settings import PREFIX, Settings

log = structlog.get_logger("framework.settings")


def warn_of_unknown(others: Sequence[str] = ()) -> None:
    """Log each variable that begins as settings do and is none, with the nearest that is.

    Args:
        others: What the variables begin with that plugins read.
    """
    kinds = list(kinds_of(Settings))
    known = {name for kind in kinds for name in names_of(kind) if name.startswith(PREFIX)}
    given = set[str]().union(*map(given_to, kinds))
    bare = sorted(name.removeprefix(PREFIX) for name in known)
    for name in sorted(given):
        if not name.startswith(PREFIX) or name.startswith(tuple(others)):
            continue
        if name.partition("__")[0] in known:
            continue
        near = difflib.get_close_matches(name.removeprefix(PREFIX), bare, n=1)
        told = {"did_you_mean": PREFIX + near[0]} if near else {}
        log.warning("unknown setting, ignored", setting=name, **told)


def kinds_of(kind: type[Settings]) -> Iterator[type[Settings]]:
    """Go through the settings and those that add to them."""
    yield kind
    for below in kind.__subclasses__():
        yield from kinds_of(below)


def names_of(kind: type[Settings]) -> Iterator[str]:
    """Go through the variables that settings are read from."""
    for field, info in kind.model_fields.items():
        yield f"{PREFIX}{field}".upper()
        alias = info.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        yield from (choice.upper() for choice in choices if isinstance(choice, str))


def given_to(kind: type[Settings]) -> set[str]:
    """Return the variables that are there, in the environment and in the file."""
    sources = EnvSettingsSource(kind), DotEnvSettingsSource(kind)
    return {name.upper() for source in sources for name in source.env_vars}
