"""`trackrecord version`, as the help shows it; its answer is given in __init__.py."""

import typer

from . import version_line

app = typer.Typer(add_completion=False)


@app.command()
def version() -> None:
    """Print the version, and those of Python and SQLite beneath it."""
    print(version_line())
