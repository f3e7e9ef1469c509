"""The one wiring: settings, discovery, routes, application, plugins, logs."""
