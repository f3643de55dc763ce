"""`trackrecord token`: access tokens, made and revoked while the server runs."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, output

if TYPE_CHECKING:
    from ..directory import Directory
    from ..rules.directory import Token

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Make, list and revoke access tokens. A running server follows at once.")


@contextmanager
def directory_of(data: str | None) -> Iterator["Directory"]:
    """The directory of a data directory, whether a server runs on it or not: other processes may write the file too."""
    from ..directory import Directory
    from ..engines import DIRECTORY_FILE

    directory = Directory.open(options.existing_data(data) / DIRECTORY_FILE)
    try:
        yield directory
    finally:
        directory.close()


@app.command()
def create(
    data: options.Data = None,
    workspace: options.InWorkspace = None,
    name: Annotated[str, typer.Option(help="What the token is for; shown by token list.")] = "made by token create",
    scopes: Annotated[
        str | None, typer.Option(help="What it may do, with commas between; all without it.", metavar="SCOPE,…", show_default=False)
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Make an access token and print it. It is shown this once, and kept only as a hash.

    Scopes: read_events, write_events, read_contacts, write_contacts, read_tags, write_tags, delete_events, read_requests. Who may
    write may read.
    """
    from ..rules.directory import SCOPES

    wanted = frozenset(SCOPES) if scopes is None else frozenset(part.strip() for part in scopes.split(",") if part.strip())
    with directory_of(data) as directory:
        token, secret = directory.tokens.create(options.chosen(directory, workspace).number, name, wanted, now=int(time.time()))
    if as_json:
        output.json({**_row(token), "token": secret})
        return
    print(secret)
    if sys.stdout.isatty():
        print("This is the access token: it is shown this once, and kept only as a hash.", file=sys.stderr)


@app.command("list")
def list_tokens(data: options.Data = None, workspace: options.InWorkspace = None, as_json: options.AsJson = False) -> None:
    """List the access tokens of a workspace, revoked ones too. The tokens themselves are not known any more. Last use: to the hour."""
    with directory_of(data) as directory:
        rows = [_row(token) for token in directory.tokens.list(options.chosen(directory, workspace).number)]
    if as_json:
        output.json(rows)
        return
    output.table(
        ("id", "begins", "name", "scopes", "created (UTC)", "last used (UTC)", "revoked (UTC)"),
        [
            (
                str(row["id"]),
                f"{row['begins']}…",
                output.safe(row["name"]),
                _scopes(row["scopes"]),
                output.moment(row["created_at"]),
                output.moment(row["last_used_at"]),
                output.moment(row["revoked_at"]),
            )
            for row in rows
        ],
        right=frozenset({"id"}),
    )


@app.command()
def revoke(
    id: Annotated[int, typer.Argument(help="The token's id, as token list shows it.")],
    data: options.Data = None,
    workspace: options.InWorkspace = None,
) -> None:
    """Revoke an access token: within a second it opens nothing any more."""
    from ..errors import NotFound

    with directory_of(data) as directory:
        chosen = options.chosen(directory, workspace)
        try:
            token = directory.tokens.revoke(chosen.number, id, now=int(time.time()))
        except NotFound:
            raise NotFound(f"workspace {chosen.id} has no token {id}; trackrecord token list shows them") from None
    print(f"Token {token.id} ({output.safe(token.name)}) is revoked.")


def _row(token: "Token") -> dict[str, Any]:
    return {
        "id": token.id,
        "begins": token.hint,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    }


def _scopes(scopes: list[str]) -> str:
    from ..rules.directory import SCOPES

    return "all" if set(scopes) == SCOPES.keys() else ", ".join(scopes)
