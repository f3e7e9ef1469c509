"""What is wrong with something declared, set or asked for; a fix is named."""

from collections.abc import Sequence

from framework.errors.base import FrameworkError


class DeclarationError(FrameworkError):
    """Something declared cannot work; found before Redis is touched.

    Args:
        what: What is wrong, in one clause.
        where: The place, as ``file.py:12`` or ``package.module.Name``.
        fix: What to write instead.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        if not self.fix:
            return f"{place}{self.what}"
        return f"{place}{self.what.rstrip('.')}. {self.fix[:1].upper()}{self.fix[1:]}"


class ProcessorError(DeclarationError):
    """A processor, a handler or a hook has the wrong shape."""


class RouteError(DeclarationError):
    """A payload type leads to no queue, or to more than one."""


class DependencyError(DeclarationError):
    """A parameter asks for what the container cannot give."""


class DiscoveryError(DeclarationError):
    """A package cannot be imported, or holds nothing to run."""


class ScheduleError(DeclarationError):
    """A schedule cannot work: its expression, zone, times or options."""


class PluginError(DeclarationError):
    """A plugin cannot be used; nothing starts without it.

    Args:
        plugin: Its name.
        distribution: What brought it, with its release; empty where it is not known.
        what: What is wrong, in one clause.
        fix: What to do about it.
    """

    def __init__(self, plugin: str, distribution: str, what: str, fix: str) -> None:
        place = f" ({distribution})" if distribution else ""
        super().__init__(what, where=f'plugin "{plugin}"{place}', fix=fix)
        self.args = (plugin, distribution, what, fix)
        self.plugin = plugin
        self.distribution = distribution


class SettingsError(FrameworkError):
    """A setting cannot be used; the text names it and the fix."""


class SlotError(SettingsError):
    """A Redis Cluster would keep apart what one call touches.

    Args:
        bases: What the keys begin with: one that has no hash tag, or several whose tags differ.
    """

    def __init__(self, bases: Sequence[str]) -> None:
        super().__init__(bases)
        self.bases = tuple(bases)

    def __str__(self) -> str:
        names = [base.rstrip(":") for base in self.bases]
        fix = 'Put one hash tag into the prefix: FRAMEWORK_PREFIX="{bull}"'
        if len(names) > 1:
            return f"{', '.join(names)} are in several slots of the cluster. {fix}"
        queue = names[0].rpartition(":")[2]
        return (
            f"the keys of {names[0]} would spread over the cluster. {fix}, "
            f'or into the name of the queue: "{{{queue}}}"'
        )


class OptionsError(FrameworkError, ValueError):
    """A job option is out of its range.

    Args:
        option: The option's name, such as ``delay``.
        problem: What is wrong with it and what is allowed.
    """

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(option, problem)
        self.option = option
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.option}: {self.problem}"
