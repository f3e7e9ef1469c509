"""Where a gateway is, and how its channels are named."""

from collections.abc import Mapping
from ssl import SSLContext
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from framework import OptionsError

SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


class Address:
    """Where a gateway is, and what opens it.

    Args:
        url: Such as ``ws://gateway:8080``; a path in it is that of a proxy before the gateway.
        token: Sent in a header, never as part of a URL.
        ssl: How to check the certificate of a ``wss://`` gateway; as Python does unless given.

    Raises:
        OptionsError: The URL is not one of a gateway.
    """

    def __init__(self, url: str, token: str, ssl: SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise OptionsError("url", "it is not of the shape ws://host:port")
        if parts.query or parts.fragment or parts.username is not None:
            raise OptionsError("url", "it has no query and no user; the token goes into token=")
        self._base = f"{SCHEMES[parts.scheme]}://{parts.netloc}{parts.path.rstrip('/')}"
        self._token = token
        self._ssl = ssl

    def __repr__(self) -> str:
        """Name the place, not the token."""
        return f"Address({self._base!r})"

    def url(self, path: str) -> str:
        """Return where a channel is."""
        return self._base + path

    @property
    def options(self) -> dict[str, Any]:
        """What the library is told beside the URL."""
        options: dict[str, Any] = {"additional_headers": {"Authorization": f"Bearer {self._token}"}}
        return options if self._ssl is None else {**options, "ssl": self._ssl}


def path_of(queue: str, *parts: str, **query: str | None) -> str:
    """Return the path of a channel of a queue; what is None is left out of the query."""
    path = "/".join(["/queue", quote(queue, safe=""), *parts])
    told: Mapping[str, str] = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(told)}" if told else path
