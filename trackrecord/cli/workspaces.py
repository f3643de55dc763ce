"""`trackrecord workspace`: the tenants of one server."""

import time
from typing import Annotated

import typer

from . import options, output
from .tokens import directory_of

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Make and list workspaces; none of them sees another's data.")


@app.command()
def create(
    id: Annotated[str, typer.Argument(help="The app id clients know it by: letters, digits, _ and -.")],
    data: options.Data = None,
    name: Annotated[str | None, typer.Option(help="What people call it; its id without it.", show_default=False)] = None,
    timezone: Annotated[str, typer.Option(help="IANA name of the time zone that decides its days.", metavar="ZONE")] = "UTC",
    as_json: options.AsJson = False,
) -> None:
    """Make a workspace, also while the server runs."""
    with directory_of(data) as directory:
        made = directory.workspaces.create(id, name or id, now=int(time.time()), timezone=timezone)
    if as_json:
        output.json({"id": made.id, "name": made.name, "timezone": made.timezone, "created_at": made.created_at})
        return
    given = f" --data {data}" if data else ""
    print(f"Made the workspace {made.id}. Its first access token: trackrecord token create{given} --workspace {made.id}")


@app.command()
def change(
    id: Annotated[str, typer.Argument(help="The app id clients know it by.")],
    data: options.Data = None,
    name: Annotated[str | None, typer.Option(help="What people call it.", show_default=False)] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA name of the time zone that decides its days.", metavar="ZONE", show_default=False)
    ] = None,
) -> None:
    """Call a workspace otherwise, or have another time zone decide its days."""
    with directory_of(data) as directory:
        changed = directory.workspaces.change(options.chosen(directory, id).number, name=name, timezone=timezone)
    print(f"The workspace {changed.id} is called {output.safe(changed.name)}; its days are those of {changed.timezone}.")


@app.command("list")
def list_workspaces(data: options.Data = None, as_json: options.AsJson = False) -> None:
    """List the workspaces, oldest first."""
    with directory_of(data) as directory:
        rows = [
            {
                "id": workspace.id,
                "name": workspace.name,
                "contacts": directory.contacts.list(workspace.number, limit=1)[1],
                "event_names": len(directory.names.all(workspace.number)),
                "tokens": sum(token.revoked_at is None for token in directory.tokens.list(workspace.number)),
                "timezone": workspace.timezone,
                "created_at": workspace.created_at,
            }
            for workspace in directory.workspaces.list()
        ]
    if as_json:
        output.json(rows)
        return
    output.table(
        ("id", "name", "contacts", "names", "tokens", "time zone", "created"),
        [
            (
                str(row["id"]),
                output.safe(str(row["name"])),
                f"{row['contacts']:,}",
                f"{row['event_names']:,}",
                str(row["tokens"]),
                str(row["timezone"]),
                output.moment(int(str(row["created_at"])))[:10],
            )
            for row in rows
        ],
        right=frozenset({"contacts", "names", "tokens"}),
    )
