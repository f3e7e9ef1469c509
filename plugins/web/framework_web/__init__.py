"""The plugin `web`: tasks that are started from a page and watched live."""
