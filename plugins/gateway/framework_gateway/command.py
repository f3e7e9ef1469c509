"""``framework gateway``: serve, and look at what is served."""

import gc
import json
import os
import signal
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Annotated, Any

import anyio
import typer

from framework import load_settings, set_up_logs
from framework_gateway.auth import tokens_of
from framework_gateway.gateway import start_gateway
from framework_gateway.settings import GatewaySettings

UNAVAILABLE = 69
SECONDS = 10.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Host = Annotated[str | None, typer.Option(help="The address to listen at; HOST unless given.")]
Port = Annotated[int | None, typer.Option(help="Where to listen; PORT unless given.")]
Url = Annotated[str | None, typer.Option(help="Where the gateway is; by HOST and PORT.")]


@app.callback(invoke_without_command=True)
def gateway(context: typer.Context, host: Host = None, port: Port = None) -> None:
    """Serve queues to programs in any language, over WebSocket and HTTP.

    Who may enter is said by AUTH_TOKENS, where Redis is by REDIS_URL. Ends at SIGTERM, once jobs
    in hand have ended; a second signal does not wait for them.
    """
    if context.invoked_subcommand is not None:
        return
    set_up_logs(load_settings())
    try:
        anyio.run(serve, host, port, backend_options={"use_uvloop": has_uvloop()})
    except OSError as error:
        typer.echo(f"error: cannot listen: {error}", err=True)
        raise typer.Exit(UNAVAILABLE) from error


def has_uvloop() -> bool:
    """Tell whether the faster event loop is installed."""
    from importlib.util import find_spec  # noqa: PLC0415 - once, at the start

    return find_spec("uvloop") is not None


async def serve(host: str | None, port: int | None) -> None:
    """Serve until a signal comes."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        running = await start_gateway(host=host, port=port)
        # What the start has made stays: to look through it once more would hold all clients up.
        gc.collect()
        gc.freeze()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(running.wait)
            closing = False
            async for _ in signals:
                if closing:
                    os._exit(1)  # whoever sends a second one does not want to wait
                closing = True
                tasks.start_soon(close, running, tasks)


async def close(running: Any, tasks: Any) -> None:  # noqa: ANN401 - a gateway and a task group
    """Close gracefully, then end."""
    await running.close()
    tasks.cancel_scope.cancel()


@app.command()
def status(url: Url = None) -> None:
    """List who is connected to a gateway, their queues and the jobs in their hands.

    Its token is the first of AUTH_TOKENS. Ends with 69 where no gateway answers.
    """
    settings = load_settings(GatewaySettings)
    tokens = tokens_of(settings)
    secret = tokens[0].secret.get_secret_value() if tokens else ""
    where = (url or f"http://{settings.host}:{settings.port}").rstrip("/") + "/status"
    request = urllib.request.Request(where, headers={"Authorization": f"Bearer {secret}"})  # noqa: S310 - where the user says
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - as above
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        said = HTTPStatus(error.code).phrase
        typer.echo(f"error: the gateway at {where} says {error.code} {said}", err=True)
        raise typer.Exit(1) from error
    except (OSError, ValueError) as error:
        typer.echo(f"error: no gateway answers at {where}: {error}", err=True)
        raise typer.Exit(UNAVAILABLE) from error
    typer.echo(worded(told))


def worded(told: dict[str, Any]) -> str:
    """Return a status as a table."""
    head = f"prefix {told['prefix']} on redis {told['redis']}"
    rows = [("channel", "queue", "client", "name", "jobs")]
    rows += [
        ("callback", one["queue"], one["url"], "", f"{one['running']} of {one['concurrency']}")
        for one in told["callbacks"]
    ]
    rows += [
        (one["channel"], one["queue"], one["client"], one.get("name", ""), jobs_of(one))
        for one in told["connections"]
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([head, *lines]) if len(rows) > 1 else f"{head}\nnobody is connected"


def jobs_of(connection: dict[str, Any]) -> str:
    """Return how many jobs a connection has, of how many it may have."""
    if "concurrency" not in connection:
        return ""
    return f"{connection['inHand']} of {connection['concurrency']}"
