"""Plugins: found by an entry point, set up all or not at all. Light to import."""

import difflib
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from typing import Any, Protocol

from framework.app.builder import Builder
from framework.app.plugin_names import GROUP, NONE
from framework.errors import FrameworkError, PluginError

CONTRACT = 1


class Plugin(Protocol):
    """What the entry point of a plugin, in the group ``framework.plugins``, leads to."""

    @property
    def contract(self) -> int:
        """Which contract between plugins and the framework it was written for: 1 is today's."""
        ...

    def setup(self, builder: Builder) -> None:
        """Add what the plugin brings. Called for each application; must not do anything else."""
        ...


def add_plugins(builder: Builder, wanted: Sequence[str] | None) -> None:
    """Set up plugins, by their names in order.

    Args:
        builder: What they add to; of no use any more where this raises.
        wanted: Their names; None: all that are installed.

    Raises:
        PluginError: One is not there, cannot be imported, was written for another contract, or
            raised. It names the plugin and its distribution.
    """
    for point in points_of(wanted):
        builder.by = point.name
        try:
            plugin = point.load()
        except (Exception, SystemExit) as error:
            raise broken(point, f"it cannot be imported: {told(error)}") from error
        check_contract(point, plugin)
        try:
            answer = plugin.setup(builder)
        except (Exception, SystemExit) as error:
            raise broken(point, f"its setup failed: {told(error)}") from error
        if answer is not None:
            if hasattr(answer, "close"):
                answer.close()
            raise broken(point, "its setup is no plain function that returns nothing")


def read_providers(builder: Builder) -> None:
    """Import the providers that plugins only named, and add them.

    Raises:
        PluginError: One cannot be imported, or provides nothing.
    """
    while builder.unread:
        one = builder.unread.pop(0)
        target = target_of(one.by, one.target)
        builder.by = one.by
        try:
            builder.provide(target, scope=one.scope, eager=one.eager)
        except FrameworkError as error:
            (point,) = points_of([one.by])
            raise broken(point, f"{one.target}: {told(error)}") from error


def points_of(wanted: Sequence[str] | None) -> list[EntryPoint]:
    """Return the entry points of plugins.

    Raises:
        PluginError: One is not installed, or two distributions bring the same.
    """
    installed = sorted(entry_points(group=GROUP), key=lambda one: one.name)
    names = [one.name for one in installed]
    for name in wanted or ():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            raise PluginError(
                name,
                "",
                "it is not installed",
                f"{guess}Installed: {', '.join(dict.fromkeys(names)) or 'none'}",
            )
    found = [one for one in installed if wanted is None or one.name in wanted]
    for one, other in pairwise(found):
        if one.name == other.name:
            raise broken(one, f"{distribution_of(other)} brings a plugin of that name too")
    return found


def check_contract(point: EntryPoint, plugin: Any) -> None:  # noqa: ANN401 - what somebody wrote
    """Refuse what is no plugin, or was written for another contract.

    Raises:
        PluginError: It is so.
    """
    if not callable(getattr(plugin, "setup", None)):
        raise broken(point, f"{point.value} has no setup(builder)")
    contract = getattr(plugin, "contract", None)
    if contract == CONTRACT:
        return
    what = f"it was written for contract {contract!r} of plugins, this framework has {CONTRACT}"
    if isinstance(contract, int):
        older, newer = distribution_of(point), "the framework"
        if contract > CONTRACT:
            older, newer = newer, older
        raise broken(point, what, f"install a newer release of {older}, or an older of {newer}")
    raise broken(point, what, f"write contract = {CONTRACT} beside its setup")


def broken(point: EntryPoint, what: str, fix: str = "") -> PluginError:
    """Word what is wrong with a plugin."""
    distribution = distribution_of(point)
    others = sorted({one.name for one in entry_points(group=GROUP)} - {point.name})
    leave_out = f"FRAMEWORK_PLUGINS={','.join(others) or NONE}"
    fix = fix or f"mend or uninstall {distribution or point.value}"
    return PluginError(point.name, distribution, what, f"{fix}; or leave it out: {leave_out}")


def distribution_of(point: EntryPoint) -> str:
    """Return the name and the release of what brought a plugin."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else ""


def told(error: BaseException) -> str:
    """Word an error of somebody's code."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def target_of(plugin: str, target: Any) -> Any:  # noqa: ANN401 - what a plugin names
    """Return what ``module:attribute`` names; anything else as it is.

    Raises:
        PluginError: It cannot be imported.
    """
    if not isinstance(target, str):
        return target
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:
        (point,) = points_of([plugin])
        raise broken(point, f"{target} cannot be imported: {told(error)}") from error
