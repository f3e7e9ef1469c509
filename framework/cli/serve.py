"""Serve the package's ASGI app in a process of its own, beside the workers."""

from importlib import import_module
from typing import Any

from framework.app.logs import set_up_logs
from framework.app.settings import load_settings
from framework.cli.lifeline import tied_to_parent
from framework.errors import DiscoveryError

STOP_SECONDS = 2


def serve_app(target: str, port: int) -> None:
    """Serve ``package.module:attribute`` on 127.0.0.1.

    Raises:
        DiscoveryError: There is no such app, or its module cannot be imported.
    """
    import uvicorn

    set_up_logs(load_settings())
    application = find_app(target)
    with tied_to_parent():
        uvicorn.run(
            application,
            host="127.0.0.1",
            port=port,
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )


def find_app(target: str) -> Any:  # noqa: ANN401 - any ASGI app
    """Import an app.

    Raises:
        DiscoveryError: There is no such app, or its module cannot be imported.
    """
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute or "api")
    except AttributeError as error:
        raise DiscoveryError(
            f'module {module} has no "{attribute or "api"}"',
            fix='name the ASGI app in pyproject.toml: [tool.framework] asgi = "shop.web:api"',
        ) from error
    except Exception as error:
        raise DiscoveryError(
            f"{module} cannot be imported: {type(error).__name__}: {error}"
        ) from error
