"""The embedded server: find the binary, keep the locks, start, stop."""
