"""Tells requests of this machine from others."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request


def is_local(request: Request) -> bool:
    """Tell whether a request comes from this machine, and was meant for it.

    A page elsewhere can let its own name lead here. A proxy here passes on what comes from outside,
    which shows only where it passes on for whom, or from where.
    """
    asking, asked = request.client.host if request.client else "", host_asked(request)
    return is_loopback(asking) and (asked == "localhost" or is_loopback(asked))


def host_asked(request: Request) -> str:
    """Return the name that a request is for, without its port."""
    # Not `request.url`, which has our own address where that name is an odd one.
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:  # it is no name at all
        return ""


def is_loopback(host: str) -> bool:
    """Tell whether an address is one of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
