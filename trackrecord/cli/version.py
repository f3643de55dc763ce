"""`trackrecord version`."""

import platform
import sqlite3

import typer

from .. import __version__

app = typer.Typer(add_completion=False)


@app.command()
def version() -> None:
    """Print the version, and those of Python and SQLite beneath it."""
    print(f"trackrecord {__version__} (Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})")
