"""All commands of ``framework``. They import what they need when they run."""

from typing import Annotated

import typer

from framework.cli.endings import clear_endings
from framework.cli.extending import ExtendedGroup
from framework.cli.jobs import jobs_app
from framework.cli.new import new
from framework.cli.plain_run import split
from framework.cli.server import server_app

app = typer.Typer(
    name="framework",
    cls=ExtendedGroup,
    help="Background jobs for Python: declared like NestJS, run like Celery, stored like BullMQ.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(server_app, name="server")
app.add_typer(jobs_app, name="jobs")
app.command("new")(new)

Package = Annotated[str, typer.Argument(help="The package to discover, such as: shop")]
Only = Annotated[
    list[str] | None, typer.Option("--only", help="Run this subpackage or queue alone.")
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", help="Do not import this subpackage, or do not run this queue."),
]


def show_version(wanted: bool) -> None:
    """Print the release and end."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"framework {version('framework')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Background jobs for Python: declared like NestJS, run like Celery, stored like BullMQ."""


@app.command()
def run(
    package: Package,
    only: Only = None,
    exclude: Exclude = None,
    health_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Answer /livez, /readyz and /healthz at this port."),
    ] = None,
    processes: Annotated[
        int,
        typer.Option(
            "--processes",
            "-p",
            envvar="FRAMEWORK_PROCESSES",
            min=0,
            help="How many worker processes; 0: work in this one, without a supervisor.",
        ),
    ] = 1,
    max_jobs: Annotated[
        int | None,
        typer.Option(
            envvar="FRAMEWORK_MAX_JOBS", min=1, help="Replace a process after so many jobs."
        ),
    ] = None,
    max_rss: Annotated[
        int | None,
        typer.Option(
            envvar="FRAMEWORK_MAX_RSS", min=1, help="Replace one that has so many MiB of memory."
        ),
    ] = None,
) -> None:
    """Run a package's workers until SIGINT or SIGTERM; a second signal does not wait for jobs.

    SIGHUP replaces the worker processes one by one. Ends with 0 after a signal, 69 if Redis is not
    there or the health port is taken, 70 if the workers die again and again, 75 if there is no
    supervisor and it was stuck (FRAMEWORK_EXIT_WHEN_STUCK), 78 if there is nothing to run or the
    wiring or a setting is wrong.
    """
    from framework.cli.run import run_package

    with clear_endings():
        code = run_package(
            package,
            only=split(only or ()),
            exclude=split(exclude or ()),
            processes=processes,
            max_jobs=max_jobs,
            max_rss=max_rss,
            health_port=health_port,
        )
    raise typer.Exit(code)


@app.command()
def health(
    url: Annotated[
        str | None,
        typer.Argument(help="Where it answers, or a port here; else FRAMEWORK_HEALTH_PORT's."),
    ] = None,
) -> None:
    """Ask running workers whether they do their work, for container checks.

    Ends with 0 if they do, 1 if not or if nobody answers, 78 if no URL is known.
    """
    from framework.app.settings import load_settings
    from framework.cli.health import show_health

    with clear_endings():
        show_health(url, None if url else load_settings().health_port)


@app.command()
def dev(
    package: Package,
    port: Annotated[
        int | None,
        typer.Option(envvar="PORT", min=1, max=65535, help="Where the web app listens [3000]."),
    ] = None,
    reload: Annotated[bool, typer.Option(help="Start anew when a file changes.")] = True,
    web: Annotated[bool, typer.Option(help="Run the package's ASGI app too.")] = True,
    keep_server: Annotated[
        bool, typer.Option("--keep-server", help="Leave the embedded server running.")
    ] = False,
) -> None:
    """Run a package on this machine: Redis, workers, web app, all anew when a file changes.

    Where nothing names a Redis, an embedded server is started in .framework/. Ends with 0
    on Ctrl-C, 69 if the port is taken or the server cannot start, 78 if the wiring is wrong.
    """
    from framework.cli.dev import run_dev

    with clear_endings():
        code = run_dev(package, port=port, reload=reload, web=web, keep_server=keep_server)
    raise typer.Exit(code)


@app.command(hidden=True)
def serve(
    target: str, port: int, plugins: Annotated[bool, typer.Option("--plugins")] = False
) -> None:
    """Serve an ASGI app, or what plugins mount for a package; `dev` does, in its own process."""
    from framework.cli.serve import find_app, serve_app

    with clear_endings():
        app = find_app("framework.asgi:plugin_app")(target) if plugins else find_app(target)
        serve_app(app, port)
