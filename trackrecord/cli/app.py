"""The command's commands: one file a noun, each loaded when it is asked for, so that none waits for the others.

To add a command, write its file with an `app` and add a row to COMMANDS.
"""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from . import version_line

# name, the module here that holds it; shown in this order
COMMANDS = {
    "serve": "serve",
    "import": "importing",
    "export": "exporting",
    "events": "events",
    "tail": "tail",
    "contacts": "contacts",
    "requests": "requests",
    "token": "tokens",
    "workspace": "workspaces",
    "account": "accounts",
    "messenger": "messenger",
    "backup": "backup",
    "check": "check",
    "settings": "settings",
    "version": "version",
}


class Commands(TyperGroup):
    """Loads a command's module when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"{__package__}.{COMMANDS[cmd_name]}").app
        found.rich_markup_mode = None  # plain help: with rich, every flag is said to be a <bool>
        command = get_command(found)
        command.name = cmd_name
        for each in (command, *getattr(command, "commands", {}).values()):
            for param in each.params:
                _without_type(param)
        return command


def _without_type(param: Any) -> None:
    """Help names what to type by its meaning (`--limit LIMIT`), where Typer names its type (`--limit <int range>`)."""
    if param.metavar is None:
        param.metavar = param.name.upper()
    if param.param_type_name == "argument":
        param.display_type_rich = lambda ctx: None


app = typer.Typer(cls=Commands, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def _trackrecord(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """A record of what your customers did: speaks Intercom's Data Events API, and keeps every event exactly once."""
    if version:
        print(version_line())
        raise typer.Exit


def main(arguments: list[str]) -> int:
    """Run a command; return its exit code. What it raises is the caller's to say."""
    return int(get_command(app).main(arguments, prog_name="trackrecord", standalone_mode=False) or 0)
