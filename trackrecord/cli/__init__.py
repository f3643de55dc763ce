"""The command line. One file a noun; each is imported when its command is asked for, so that none waits for the others.

To add a command, write its file with an `app` and add a row to COMMANDS.
"""

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from .. import __version__
from ..errors import SettingInvalid, TrackrecordError

# name, the module here that holds it; shown in this order
COMMANDS = {
    "serve": "serve",
    "import": "importing",
    "export": "exporting",
    "events": "events",
    "contacts": "contacts",
    "token": "tokens",
    "workspace": "workspaces",
    "backup": "backup",
    "check": "check",
    "settings": "settings",
    "version": "version",
}

EXIT_TROUBLE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class UsageWrong(TrackrecordError):
    """Options that do not go together, or values that cannot be used: the command line must change."""


class Commands(TyperGroup):
    """Loads a command's module when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{COMMANDS[cmd_name]}", __name__)
        command = get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(cls=Commands, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"trackrecord {__version__}")
        raise typer.Exit


@app.callback()
def _trackrecord(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)] = False,
) -> None:
    """A record of what your customers did: speaks Intercom's Data Events API, and keeps every event exactly once."""


def run(arguments: list[str]) -> int:
    """Run a command; return its exit code. Every error becomes one sentence on stderr here, and nowhere else."""
    try:
        return int(get_command(app).main(arguments, prog_name="trackrecord", standalone_mode=False) or 0)
    except (UsageWrong, SettingInvalid) as error:
        return _fail(error.message, EXIT_USAGE)
    except TrackrecordError as error:
        return _fail(error.message, EXIT_TROUBLE)
    except KeyboardInterrupt:
        return _fail("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read our output has gone: nothing to tell
        return EXIT_TROUBLE
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error), EXIT_TROUBLE)
    except Exception as error:
        if not hasattr(error, "format_message"):  # what Typer raises for a wrong command line can say itself
            raise
        return _usage(error)


def _usage(error: Any) -> int:
    path = error.ctx.command_path if getattr(error, "ctx", None) is not None else "trackrecord"
    message = error.format_message().strip()
    if message.startswith("Usage:") or not message:  # asked for nothing: shown what there is
        print(message)
        return EXIT_USAGE
    message = message[0].lower() + message[1:]
    return _fail(f"{message.rstrip('.')}. See {path} --help", EXIT_USAGE)


def _fail(message: str, code: int) -> int:
    print(f"trackrecord: {message}", file=sys.stderr)
    return code


def main() -> None:
    sys.exit(run(sys.argv[1:]))
