"""What the entry point leads to. Light to import: each command line does."""

from framework import Builder


class GatewayPlugin:
    """Adds what the plugin brings."""

    contract = 1

    def setup(self, builder: Builder) -> None:
        """Add it."""
        builder.command(
            "gateway",
            "framework_gateway.command:app",
            help="Serve queues to programs in any language, over WebSocket and HTTP.",
        )


plugin = GatewayPlugin()
