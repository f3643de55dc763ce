"""`trackrecord serve`."""

import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import SettingInvalid, TrackrecordError
from ..settings import FILE_NAME, SETTINGS, Settings, load
from . import output

if TYPE_CHECKING:
    from ..server import Server

app = typer.Typer(add_completion=False)

_MEANINGS = {row.name: row.meaning for row in SETTINGS}
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - what to show in place of "every interface"

COLLECT_AFTER = 20_000  # new objects. What a request makes goes with its answer; looking for circles more often finds none
STRANGERS_SHOWN = 3  # names of files that are not ours


def _option(name: str, metavar: str | None = None) -> Any:
    """An option whose help is the setting's meaning."""
    return typer.Option(f"--{name.replace('_', '-')}", help=f"{_MEANINGS[name]}.", metavar=metavar, show_default=False)


@app.command()
def serve(
    data: Annotated[str | None, _option("data", "DIR")] = None,
    host: Annotated[str | None, _option("host", "ADDRESS")] = None,
    port: Annotated[str | None, _option("port", "PORT")] = None,
    app_id: Annotated[str | None, _option("app_id", "ID")] = None,
    token: Annotated[str | None, _option("token", "SECRET")] = None,
    identity_secret: Annotated[str | None, _option("identity_secret", "SECRET")] = None,
    profile: Annotated[str | None, _option("profile", "lenient|strict")] = None,
    public_url: Annotated[str | None, _option("public_url", "URL")] = None,
    ephemeral: Annotated[bool | None, typer.Option("--ephemeral", help=f"{_MEANINGS['ephemeral']}.", show_default=False)] = None,
    log_format: Annotated[str | None, _option("log_format", "text|json")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Any other setting, such as --set dedup=off; may be repeated.", metavar="NAME=VALUE", show_default=False
        ),
    ] = None,
) -> None:
    """Serve until Ctrl-C. What is not given comes from TRACKRECORD_* variables, settings.toml in the data directory, or a default.

    trackrecord settings lists every setting with its value.
    """
    given = {
        "data": data,
        "host": host,
        "port": port,
        "app_id": app_id,
        "token": token,
        "identity_secret": identity_secret,
        "profile": profile,
        "public_url": public_url,
        "ephemeral": ephemeral,
        "log_format": log_format,
    }
    run(load(given, pairs=[_pair(text) for text in settings or []]))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingInvalid(f"--set wants name=value, got {text!r}; trackrecord settings lists the names")
    return name.strip(), value


def run(settings: Settings) -> None:
    """Serve with these settings until SIGINT or SIGTERM, and close everything before returning."""
    import asyncio

    import uvloop

    from .. import server
    from ..datadir import remove_unused
    from . import logs

    data = Path(settings.data)
    fresh, strangers = not data.exists(), [] if settings.ephemeral else _strangers(data)
    logs.set_up(settings.log_format)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what it puts into the background with SIGINT ignored
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the server runs, and takes both for the wish to end
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(settings, started=partial(announce, beside=strangers)))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        raise _cannot_listen(error, settings) from error
    finally:
        if fresh:
            remove_unused(data)
    kept = "what it kept is gone" if settings.ephemeral else f"everything is kept in {settings.data}"
    print(f"Stopped; {kept}.", flush=True)


def _strangers(data: Path) -> list[str]:
    """What lies in a directory that is about to become a data directory, and is not ours."""
    from ..datadir import LOCK_FILE
    from ..engines import DIRECTORY_FILE

    if not data.is_dir() or (data / DIRECTORY_FILE).exists():
        return []
    return sorted({each.name for each in data.iterdir()} - {LOCK_FILE, FILE_NAME})


def _cannot_listen(error: OSError, settings: Settings) -> Exception:
    """Say what to do about an address that cannot be listened on; any other error is returned as it is."""
    if error.errno == errno.EADDRINUSE:
        return TrackrecordError(
            f"port {settings.port} on {settings.host} is taken by another program: stop that one, or choose another port with --port "
            "(0 takes a free one)"
        )
    if error.errno == errno.EACCES and settings.port < 1024:
        return TrackrecordError(f"port {settings.port} needs more rights than this user has: choose one from 1024 on with --port")
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return TrackrecordError(f"{settings.host} is not an address of this machine: choose another with --host (0.0.0.0 for all)")
    return error


def announce(server: "Server", url: str, *, beside: Sequence[str] = ()) -> None:
    """Tell whoever started the server what to do next: everything at the first start, one line at later ones.

    `beside` names what was in the data directory before it became one.
    """
    settings = server.settings
    every = ""
    for host, shown in EVERYWHERE.items():
        if url.startswith(f"http://{host}:"):
            url, every = url.replace(host, shown, 1), ", and on every interface of this machine"
    if settings.public_url:
        every += f", for clients of {settings.public_url}"
    welcome = f"{settings.public_url.rstrip('/') or url}/-/ui/welcome?key={server.first_link}" if server.first_link else None
    where = "in a temporary directory, until it stops" if settings.ephemeral else f"in {settings.data}"
    if beside:
        more = f" and {len(beside) - STRANGERS_SHOWN} more" if len(beside) > STRANGERS_SHOWN else ""
        where += f", beside what was there before: {', '.join(map(output.safe, beside[:STRANGERS_SHOWN]))}{more}"
    if server.first_token is None:
        link = f"Nobody has an account yet. Open the dashboard: {welcome}\n" if welcome else ""
        print(f"{link}Trackrecord is listening on {url}{every}; its data is {where}. Ctrl-C stops it.", flush=True)
    else:
        print(_first_start(url, every, where, server.first_token, welcome, int(server.now())), flush=True)


def _first_start(url: str, every: str, where: str, token: str, welcome: str | None, now: int) -> str:
    bold, dim, plain = ("\033[1m", "\033[2m", "\033[0m") if _colours() else ("", "", "")
    dashboard = (
        f"\n{dim}Open the dashboard, and choose a password. The link opens once, within a day:{plain}\n\n  {welcome}\n" if welcome else ""
    )
    headers = f"-H 'Authorization: Bearer {token}' \\\n    -H 'Content-Type: application/json'"
    return f"""\
{bold}Trackrecord is listening on {url}{plain}{every}
Everything is kept {where}.
{dashboard}
Your access token. It is shown this once, and kept only as a hash:

  {bold}{token}{plain}

{dim}Make a contact:{plain}

  curl {url}/contacts \\
    {headers} \\
    -d '{{"external_id":"ada-1","email":"ada@example.com"}}'

{dim}Send an event. The answer is 202 with no body, once it is on stable storage:{plain}

  curl -i {url}/events \\
    {headers} \\
    -d '{{"event_name":"invited-friend","created_at":{now},"user_id":"ada-1"}}'

{dim}List what the contact did:{plain}

  curl '{url}/events?type=user&user_id=ada-1' \\
    -H 'Authorization: Bearer {token}'

All calls are described at {bold}{url}/-/docs{plain}
Ctrl-C stops the server."""


def _colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
