"""The commands that plugins add: listed by a plugin's setup, imported when they are called."""

import os
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from framework.app.plugin_names import GROUP, read_names
from framework.cli.endings import clear_endings, say
from framework.errors import PluginError

NAME = "FRAMEWORK_PLUGINS"


class ExtendedGroup(TyperGroup):
    """Our own commands, and after them those of plugins."""

    @cached_property
    def added(self) -> dict[str, TyperCommand]:
        """The commands of plugins, none of them imported."""
        if not entry_points(group=GROUP):
            return {}

        from framework.app.builder import Builder
        from framework.app.plugins import add_plugins

        wanted = wanted_plugins()
        builder = Builder()
        add_plugins(builder, wanted)
        for one in builder.commands:
            if one.name in self.commands:
                raise PluginError(
                    one.by,
                    "",
                    f'the command "{one.name}" is the framework\'s own',
                    f"leave the plugin out: {NAME}=none",
                )
        return {
            one.name: Calling(one.name, one.target, one.help, one.by) for one in builder.commands
        }

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's, or click's in older ones
        """List our commands and theirs; a broken plugin is named and does not hide ours."""
        own = super().list_commands(ctx)
        try:
            return [*own, *self.added]
        except PluginError as error:
            say(f"error: {error}")
            return own

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - as above
        """Return a command; of plugins only where it is none of ours."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        with clear_endings():
            return self.added.get(cmd_name)


class Calling(TyperCommand):
    """Stands for a plugin's command until it is called."""

    def __init__(self, name: str, target: str, help: str, by: str) -> None:  # noqa: A002 - as in typer
        super().__init__(name, help=help)
        self._target = target
        self._by = by

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:  # noqa: ANN401 - as above
        """Import the command, which is the one called from here on; it ends as our own do."""
        from framework.app.plugins import target_of

        with clear_endings():
            target = target_of(self._by, self._target)
        if not isinstance(target, typer.Typer):
            app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            app.command(self.name, help=self.help)(target)
            target = app
        command = get_command(target)
        context = command.make_context(info_name, args, parent, **extra)
        run = context.command.invoke

        def invoke(given: Any) -> Any:  # noqa: ANN401 - as above
            with clear_endings():
                return run(given)

        vars(context.command)["invoke"] = invoke  # the command belongs to this call alone
        return context


def wanted_plugins() -> tuple[str, ...] | None:
    """Read which plugins are used, without what makes settings slow to import."""
    text = os.environ.get(NAME)
    if not text and Path(".env").is_file():
        from dotenv import dotenv_values

        text = dotenv_values(".env").get(NAME)
    return read_names(text) if text else None
