"""What the entry point leads to. Light to import: each command line does."""

from framework import Builder


class WebPlugin:
    """Adds what the plugin brings."""

    contract = 1

    def setup(self, builder: Builder) -> None:
        """Add it."""
        builder.provide("framework_web.web_settings:web_settings", eager=True)
        builder.provide("framework_web.tokens:WatchTokens")
        builder.provide("framework_web.guard:Guarding")
        builder.provide("framework_web.tasks:Tasks", eager=True)
        builder.reads("FRAMEWORK_WEB_", dev={"FRAMEWORK_WEB_OPEN": "local"})
        builder.mount("/tasks", "framework_web.rest:tasks")
        builder.mount("/events", "framework_web.rest:events")
        builder.mount("/framework-web", "framework_web.page_files:files")
        builder.command("web", "framework_web.command:web", help="Serve tasks over HTTP.")


plugin = WebPlugin()
