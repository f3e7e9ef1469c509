"""The plugin's command."""

import urllib.request

import typer


def show(port: int = 3000) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/shift/") as answer:
        typer.echo(answer.read().decode())
