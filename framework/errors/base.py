"""What all errors of the framework have in common."""


class FrameworkError(Exception):
    """What all errors of the framework have in common."""
