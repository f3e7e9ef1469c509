"""``framework new``."""


def new(name: str) -> None:
    """Write a project that runs."""
