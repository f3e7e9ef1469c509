"""``framework health``: ask a running process how it does, for container checks."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping

import typer

from framework.errors import SettingsError

SECONDS = 5.0
WELL = 200
PATH = "/readyz"


def default_url(port: int | None) -> str:
    """Return where the process of this machine answers.

    Raises:
        SettingsError: Nothing says where.
    """
    if port is None:
        raise SettingsError(
            "no URL given, and FRAMEWORK_HEALTH_PORT is not set: "
            "write framework health http://127.0.0.1:PORT"
        )
    return f"http://127.0.0.1:{port}"


def ask(url: str) -> tuple[bool, Mapping[str, object]]:
    """Ask a process; return whether it is well, and what it said.

    Args:
        url: Where; a host with its port, or a port of this machine, will do.
    """
    if url.isdecimal():
        url = default_url(int(url))
    scheme, found, rest = url.rpartition("://")
    host, _, path = rest.partition("/")
    full = f"{scheme if found else 'http'}://{host}/{path or PATH[1:]}"
    if not full.startswith(("http://", "https://")):
        raise SettingsError(f"{url} is no URL of http")
    # A proxy that the environment names is for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(full, timeout=SECONDS) as reply:
            return reply.status == WELL, read(reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return False, read(error.read())
    except (OSError, http.client.HTTPException) as error:
        return False, {"status": "no answer", "problems": [f"{full}: {error}"]}


def read(text: bytes) -> Mapping[str, object]:
    """Read an answer; whatever is no JSON object is shown as it is."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {"status": text.decode(errors="replace")[:200]}


def show_health(url: str | None, port: int | None) -> None:
    """Print what a process answers, and end with 0 if it is well, else with 1."""
    is_well, told = ask(url or default_url(port))
    typer.echo(json.dumps(told, indent=2))
    if not is_well:
        raise typer.Exit(1)
