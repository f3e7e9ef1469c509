"""How the names of plugins are written in settings. Light: the command line reads them too."""

GROUP = "framework.plugins"
NONE, ALL = "none", "all"


def read_names(text: str) -> tuple[str, ...] | None:
    """Read ``FRAMEWORK_PLUGINS``: names with commas between them, ``none``, or ``all``."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if names == (ALL,):
        return None
    return () if names == (NONE,) else names
