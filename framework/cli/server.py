"""``framework server``: look at the embedded server of a project, and stop it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from framework.errors import ServerError
from framework.server import DEFAULT_DATA_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from framework.server import ServerStatus

server_app = typer.Typer(
    name="server", help="Look at the embedded server, and stop it.", no_args_is_help=True
)

DataDir = Annotated[Path, typer.Option("--dir", help="The directory that holds its files.")]

KIBI = 1024


@server_app.command("status")
def show_status(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show the embedded server; exit with 1 if none runs, or it does not answer."""
    from framework.server import status

    try:
        seen = status(data_dir)
    except ServerError as error:
        give_up(str(error))
    if not seen.running:
        give_up(f"no embedded server runs in {seen.data_dir}")
    say("\n".join(f"{name:<9}{value}" for name, value in facts_of(seen)))
    if seen.problem:
        raise typer.Exit(1)


@server_app.command("stop")
def stop_server(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Stop the embedded server, its data stays; exit with 1 only if it still runs."""
    from framework.server import stop

    try:
        stopped = stop(data_dir)
    except ServerError as error:
        give_up(str(error))
    say(
        f"stopped the embedded server; its data stays in {data_dir}"
        if stopped
        else f"no embedded server runs in {data_dir.absolute()}"
    )


def facts_of(seen: "ServerStatus") -> "Iterator[tuple[str, str]]":
    """Word each fact of a running server for the eye."""
    yield "server", f"{seen.version or 'embedded'}, process {seen.pid}"
    if seen.problem:
        yield "problem", seen.problem
    else:
        yield "url", masked(seen.url)
        yield "uptime", str(seen.uptime)
        yield "memory", size(seen.memory_bytes)
        yield "keys", f"{seen.keys:,}"
    yield "data", f"{seen.data_dir} ({size(seen.aof_bytes)})"
    yield "in use", "yes" if seen.in_use else "no"
    yield "ends", "with: framework server stop" if seen.kept else "with its last user"


def masked(url: str) -> str:
    """Hide the password, which the owner can read in ``tcp.conf``."""
    scheme, at, place = url.rpartition("@")
    return f"{scheme.partition(':')[0]}://:***@{place}" if at else url


def size(amount: float) -> str:
    """Word a number of bytes, such as ``1.4 MiB``."""
    for unit in ("B", "KiB", "MiB"):
        if amount < KIBI:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= KIBI
    return f"{amount:.1f} GiB"


def say(text: str, *, error: bool = False) -> None:
    """Print as it is: long paths are neither wrapped nor read as markup."""
    from rich.console import Console

    console = Console(stderr=error, soft_wrap=True, highlight=not error)
    console.print(text, markup=False)


def give_up(problem: str) -> NoReturn:
    """Say what is wrong and exit with 1."""
    say(problem, error=True)
    raise typer.Exit(1)
