"""Where workers may be called: the hosts and networks that ``ENDPOINT_ALLOW`` names."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import SOCK_STREAM
from typing import Any

import anyio
import httpcore2

from framework import SettingsError

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Allowed:
    """Which endpoints may be called.

    Args:
        text: Hosts (``*`` stands for any letters), addresses and networks such as
            ``10.0.0.0/8``, with commas; nothing: all.

    Raises:
        SettingsError: A network that is none.
    """

    def __init__(self, text: str) -> None:
        named = [one.strip().lower() for one in text.split(",") if one.strip()]
        self.is_everything = not named
        self._networks = [network_of(one) for one in named if is_network(one)]
        self._hosts = [one for one in named if not is_network(one)]

    def names(self, host: str) -> bool:
        """Tell whether a host is allowed by its name."""
        return self.is_everything or any(fnmatchcase(host.lower(), one) for one in self._hosts)

    def may_be(self, host: str) -> bool:
        """Tell whether a host can be allowed; of a name, its address decides at each call."""
        if self.names(host):
            return True
        address = address_of(host)
        return bool(self._networks) if address is None else self.has(address)

    def has(self, address: Address) -> bool:
        """Tell whether an address is in one of the networks."""
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(plain in network for network in self._networks)


def is_network(text: str) -> bool:
    """Tell whether an entry is an address or a network, and no name."""
    return "/" in text or address_of(text) is not None


def address_of(text: str) -> Address | None:
    """Return the address that a text is, if it is one."""
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def network_of(text: str) -> Network:
    """Read a network.

    Raises:
        SettingsError: It is none.
    """
    try:
        return ip_network(text.strip("[]"), strict=False)
    except ValueError as error:
        raise SettingsError(
            f'ENDPOINT_ALLOW: "{text}" is no network; write 10.0.0.0/8, say. '
            "Mend it in the environment or in .env"
        ) from error


class GuardedBackend(httpcore2.AnyIOBackend):
    """Connects to what is allowed alone: a name is looked up once, and what was found is dialled.

    So nobody gets past it with a name that leads elsewhere the next time.

    Args:
        allowed: What may be called.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect.

        Raises:
            ConnectError: It is not allowed, or cannot be reached.
        """
        if not self._allowed.names(host):
            host = await self._find(host, port)
        return await super().connect_tcp(host, port, timeout, local_address, socket_options)

    async def _find(self, host: str, port: int) -> str:
        try:
            found = await anyio.getaddrinfo(host, port, type=SOCK_STREAM)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for *_, place in found:
            address = address_of(str(place[0]))
            if address is not None and self._allowed.has(address):
                return str(address)
        raise httpcore2.ConnectError(f"{host} is not allowed: ENDPOINT_ALLOW does not have it")
