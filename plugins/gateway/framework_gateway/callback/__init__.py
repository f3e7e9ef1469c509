"""Workers that are called over HTTP."""
