"""What the entry point leads to. Light to import: each command line does."""

from framework import Builder


class WebPlugin:
    """Adds what the plugin brings."""

    contract = 1

    def setup(self, builder: Builder) -> None:
        """Add it."""
        builder.provide("framework_web.tasks:Tasks", eager=True)


plugin = WebPlugin()
