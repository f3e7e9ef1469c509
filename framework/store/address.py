"""Where Redis is: a checked URL that never shows its password."""

from urllib.parse import urlsplit

from redis.asyncio.connection import ConnectKwargs, parse_url

from framework.errors import SettingsError


class Address:
    """A Redis URL, checked.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://…`` for TLS, or
            ``unix:///path/to.sock``.

    Raises:
        SettingsError: It is no such URL.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            parts = urlsplit(url)
            port = parts.port
            self.options: ConnectKwargs = parse_url(url)
        except ValueError as error:
            raise SettingsError(f"REDIS_URL cannot be used: {error}") from error
        if parts.scheme == "unix":
            self.name = parts.path
        else:
            self.name = f"{parts.hostname or 'localhost'}:{port or 6379}"

    def __repr__(self) -> str:
        return f"Address({self.name!r})"
