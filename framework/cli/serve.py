"""Serve the package's ASGI app in a process of its own, beside the workers."""

import logging
from importlib import import_module
from typing import Any

from framework.app.logs import set_up_logs
from framework.app.settings import load_settings
from framework.cli.lifeline import tied_to_parent
from framework.errors import DiscoveryError, FrameworkError

STOP_SECONDS = 2


def serve_app(found: Any, port: int) -> None:  # noqa: ANN401 - any ASGI app
    """Serve an app on 127.0.0.1.

    Raises:
        FrameworkError: What its lifespan raised at the start.
    """
    import uvicorn

    set_up_logs(load_settings())
    logging.getLogger("uvicorn.error").addFilter(is_worth_a_line)
    app = TellingApp(found)
    with tied_to_parent():
        try:
            uvicorn.run(
                app,
                host="127.0.0.1",
                port=port,
                log_config=None,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        except SystemExit:
            if app.error is None:
                raise
        if app.error is not None:
            raise app.error


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Tell whether a line says more than that a request was cut off, since the server stops."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or issubclass(kind, Exception)


class TellingApp:
    """An ASGI app whose failed start is worded as our other errors, without a traceback.

    Args:
        app: The app.
    """

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - any ASGI app
        self._app = app
        self.error: FrameworkError | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as above
        """Pass everything on; of a start that fails with an error of ours, keep the error."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        failure: list[Any] = []

        async def hold_failure(message: Any) -> None:  # noqa: ANN401 - as above
            if message["type"] == "lifespan.startup.failed":
                failure.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, hold_failure)
        except FrameworkError as error:
            self.error = error
            failure[:] = [{"type": "lifespan.startup.failed", "message": ""}]
        for message in failure:
            await send(message)


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
