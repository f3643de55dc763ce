"""`trackrecord account`: who may sign in to the dashboard."""

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, output
from .tokens import directory_of

if TYPE_CHECKING:
    from ..directory import Directory
    from ..rules.accounts import Account

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Who may sign in to the dashboard, and as what. A running server follows at once."
)

Email = Annotated[str, typer.Argument(help="The address the account signs in with.")]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Where the dashboard is reached; without it TRACKRECORD_URL, else what the settings say.",
        metavar="URL",
        show_default=False,
    ),
]
NO_ROLE = "none"


@app.command()
def create(
    email: Email,
    data: options.Data = None,
    workspace: options.InWorkspace = None,
    name: Annotated[str, typer.Option(help="What people call it; what stands before the @ without it.", show_default=False)] = "",
    role: Annotated[str, typer.Option(help="admin or viewer.", metavar="admin|viewer")] = "admin",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin, in place of printing a link to choose it.")
    ] = False,
    url: Url = None,
    as_json: options.AsJson = False,
) -> None:
    """Make an account, and print the link by which whoever it is for chooses a password. The first one is admin of every workspace."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with directory_of(data) as directory:
        every = [] if workspace is None and not directory.accounts.any() else [options.chosen(directory, workspace).number]
        now = int(time.time())
        account = directory.accounts.create(email, name, now=now, role=role, workspaces=every, password=password)
        link = None if password_stdin else _link(directory, account, data, url)
        shown = _row(directory, account)
    if as_json:
        output.json({**shown, "link": link})
        return
    print(link or f"Made the account {output.safe(account.email)}.")
    if link and sys.stdout.isatty():
        print(_said_of_link(), file=sys.stderr)


@app.command("list")
def list_accounts(data: options.Data = None, as_json: options.AsJson = False) -> None:
    """List the accounts with what they are in which workspace."""
    with directory_of(data) as directory:
        rows = [_row(directory, account) for account in directory.accounts.list()]
    if as_json:
        output.json(rows)
        return
    output.table(
        ("email", "name", "state", "last seen (UTC)", "workspaces"),
        [
            (
                output.safe(row["email"]),
                output.safe(row["name"]),
                row["state"],
                output.moment(row["last_seen_at"]),
                ", ".join(f"{id} ({role})" for id, role in row["workspaces"].items()),
            )
            for row in rows
        ],
    )


@app.command()
def link(email: Email, data: options.Data = None, url: Url = None) -> None:
    """Print a link by which an account's password is chosen anew. It opens once, within three days; older ones open no more."""
    with directory_of(data) as directory:
        print(_link(directory, _found(directory, email), data, url))
    if sys.stdout.isatty():
        print(_said_of_link(), file=sys.stderr)


@app.command()
def disable(email: Email, data: options.Data = None) -> None:
    """End an account's sessions, and let nobody sign in to it until it is enabled."""
    with directory_of(data) as directory:
        account = directory.accounts.disable(_found(directory, email).number, now=int(time.time()))
    print(f"Nobody can sign in as {output.safe(account.email)} any more.")


@app.command()
def enable(email: Email, data: options.Data = None) -> None:
    """Take a disabled account back, with the password it had."""
    with directory_of(data) as directory:
        account = directory.accounts.enable(_found(directory, email).number)
    print(f"{output.safe(account.email)} can sign in again.")


@app.command()
def role(
    email: Email,
    role: Annotated[str, typer.Argument(help="What it is from now on; none takes it out of the workspace.", metavar="admin|viewer|none")],
    data: options.Data = None,
    workspace: options.InWorkspace = None,
) -> None:
    """Say what an account is in a workspace."""
    with directory_of(data) as directory:
        account, chosen = _found(directory, email), options.chosen(directory, workspace)
        directory.accounts.set_role(account.number, chosen.number, None if role == NO_ROLE else role)
    print(f"{output.safe(account.email)} is {'nothing' if role == NO_ROLE else role} in {chosen.id} now.")


def _found(directory: "Directory", email: str) -> "Account":
    from ..errors import NotFound

    account = directory.accounts.by_email(email)
    if account is None:
        raise NotFound(f"nobody has an account with the address {output.safe(email)}; trackrecord account list shows them")
    return account


def _link(directory: "Directory", account: "Account", data: str | None, url: str | None) -> str:
    key = directory.links.create(account.number, now=int(time.time()))
    return f"{url or os.environ.get('TRACKRECORD_URL') or _address(data)}".rstrip("/") + f"/-/ui/link?key={key}"


def _address(data: str | None) -> str:
    """Where the settings say that the server is reached."""
    from ..settings import load
    from .serve import EVERYWHERE

    settings = load({"data": data})
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url or f"http://{EVERYWHERE.get(host, host)}:{settings.port}"


def _said_of_link() -> str:
    from ..directory.sessions import DAY_S, LINK_S

    return f"Whoever has this link can choose the password. It opens once, within {LINK_S // DAY_S} days."


def _row(directory: "Directory", account: "Account") -> dict[str, Any]:
    seen = directory.sessions.list(account.number, now=int(time.time()))
    state = "disabled" if account.disabled_at is not None else "good" if account.has_password else "invited"
    return {
        "email": account.email,
        "name": account.name,
        "state": state,
        "created_at": account.created_at,
        "last_seen_at": seen[0].seen_at if seen else None,
        "workspaces": {each.workspace.id: each.role for each in directory.accounts.memberships(account.number)},
    }
