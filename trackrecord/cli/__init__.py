"""The command line. The commands are in app.py; here is what happens around every one of them."""

import os
import sys
from typing import Any

from .. import __version__, faults
from ..errors import DataDirectoryUnusable, SettingInvalid, TrackrecordError

MAKE_WORDS = {"--port": "PORT=8081", "--data": "DATA=DIR"}  # what our Makefile, which sets TRACKRECORD_MAKE, calls an option
RESTORE = ". Put back the files of one backup, all three; trackrecord check tells which of them are damaged"
EXIT_TROUBLE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class UsageWrong(TrackrecordError):
    """Options that do not go together, or values that cannot be used: the command line must change."""


def run(arguments: list[str]) -> int:
    """Run a command; return its exit code. Every error becomes one sentence on stderr here, and nowhere else."""
    if arguments in (["version"], ["--version"]):  # answered before anything is loaded: that would take longer than the answer
        print(version_line())
        return 0
    from . import app

    try:
        faults.arm()
        return app.main(arguments)
    except (UsageWrong, SettingInvalid) as error:
        return _fail(error.message, EXIT_USAGE)
    except DataDirectoryUnusable as error:
        return _fail(error.message + (RESTORE if _damaged(error) else ""), EXIT_TROUBLE)
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


def version_line() -> str:
    """Ours, and those of what is beneath it."""
    import platform
    import sqlite3

    return f"trackrecord {__version__} (Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})"


def _damaged(error: BaseException | None) -> bool:
    """Whether an error began with a file that SQLite cannot read."""
    import sqlite3

    while error is not None:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return True
        error = error.__cause__ or error.__context__
    return False


def _usage(error: Any) -> int:
    path = error.ctx.command_path if getattr(error, "ctx", None) is not None else "trackrecord"
    message = error.format_message().strip()
    if message.startswith("Usage:"):  # nothing was asked for: this is the help
        print(message, file=sys.stderr)
        return EXIT_USAGE
    message = message[0].lower() + message[1:].removesuffix(".")
    return _fail(f"{message}{'' if message.endswith('?') else '.'} See {path} --help", EXIT_USAGE)


def _fail(message: str, code: int) -> int:
    words = [word for option, word in MAKE_WORDS.items() if option in message]
    if words and os.environ.get("TRACKRECORD_MAKE"):
        message += f". With make that is: make serve {' '.join(words)}"
    print(f"trackrecord: {message}", file=sys.stderr)
    return code


def main() -> None:
    sys.exit(run(sys.argv[1:]))
