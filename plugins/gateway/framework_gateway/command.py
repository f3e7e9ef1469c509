"""``framework gateway``: serve, and look at what is served."""

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
