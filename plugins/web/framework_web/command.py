"""``framework web``: serve tasks over HTTP, without a web app of one's own."""

import os
import sys

import uvicorn
from typer import Argument, Option

from framework.asgi import plugin_app

STOP_SECONDS = 2


def web(
    package: str = Argument(help="The package whose tasks are served."),
    port: int = Option(8000, help="Where to listen."),
    host: str = Option("127.0.0.1", help="The address to listen at."),
) -> None:
    """Serve the tasks of a package over HTTP; workers run elsewhere."""
    if os.getcwd() not in sys.path:  # noqa: PTH109 - as Python itself writes it there
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as above
    uvicorn.run(
        plugin_app(package),
        host=host,
        port=port,
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
