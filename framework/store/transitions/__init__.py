"""One typed function for each Lua script."""
