"""`trackrecord events`: what one contact did, and which events there are, for a quick look."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, output, whose

if TYPE_CHECKING:
    from ..stores.base import EventReader, Moment, StoredEvent

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Look at what one contact did, or at all event names. A server may run meanwhile."
)


@app.command("list")
def list_events(
    who: whose.Who = None,
    id: whose.ById = None,
    user_id: whose.ByUserId = None,
    email: whose.ByEmail = None,
    limit: Annotated[int, typer.Option(help="How many events at most.", min=1, max=10_000)] = 20,
    data: options.Data = None,
    workspace: options.InWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """List a contact's events, newest first. Times are UTC."""
    from . import shown
    from .opening import opened

    with opened(options.existing_data(data)) as there:
        chosen = options.chosen(there.directory, workspace)
        contact = whose.contact(there.directory, chosen, who=who, id=id, user_id=user_id, email=email)
        stored, more = _newest(there.events, contact.number, limit)
        names = there.directory.names.by_numbers({each.event.name for each in stored})
    events = [(names[each.event.name].name, each.event) for each in stored]
    if as_json:
        output.json([_row(name, event) for name, event in events])
        return
    in_terminal = sys.stdout.isatty()
    output.table(
        ("when (UTC)", "event", "metadata"),
        [
            (
                output.moment(event.created_at),
                output.safe(name),
                shown.rich(event.metadata, event.kinds) if in_terminal else shown.plain(event.metadata, event.kinds),
            )
            for name, event in events
        ],
    )
    if in_terminal:
        whose_are = f"{output.counted(len(events), 'event')} of {output.safe(_called(contact))}"
        print(f"\nthe newest {whose_are}; --limit says how many to show" if more else f"\n{whose_are}")


def _newest(events: "EventReader", contact: int, limit: int) -> "tuple[list[StoredEvent], bool]":
    """Up to `limit` events, and whether there are more. A page may end early, where metadata is long."""
    found: list[StoredEvent] = []
    before: Moment | None = None
    while True:
        page = events.page(contact, limit=limit - len(found), before=before)
        found += page.events
        if not page.more or len(found) >= limit:
            return found, page.more
        before = page.at[-1]


def _row(name: str, event: Any) -> dict[str, Any]:
    import msgspec

    return {"event_name": name, "created_at": event.created_at, "metadata": msgspec.Raw(event.metadata or b"{}")}


def _called(contact: Any) -> str:
    return str(contact.name or contact.email or contact.external_id or contact.anonymous_id or contact.id)


@app.command()
def summary(
    who: whose.Who = None,
    id: whose.ById = None,
    user_id: whose.ByUserId = None,
    email: whose.ByEmail = None,
    limit: Annotated[int | None, typer.Option(help="How many event names at most; all without it.", min=1, show_default=False)] = None,
    data: options.Data = None,
    workspace: options.InWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """Tell how often a contact did what, and first and last when. What it did last comes first. Times are UTC."""
    from .opening import opened

    with opened(options.existing_data(data)) as there:
        chosen = options.chosen(there.directory, workspace)
        contact = whose.contact(there.directory, chosen, who=who, id=id, user_id=user_id, email=email)
        rows = there.events.summary(contact.number)[:limit]
        names = there.directory.names.by_numbers({row.name for row in rows})
    if as_json:
        output.json([{"event_name": names[row.name].name, "count": row.count, "first": row.first, "last": row.last} for row in rows])
        return
    output.table(
        ("event", "count", "first (UTC)", "last (UTC)"),
        [(output.safe(names[row.name].name), f"{row.count:,}", output.moment(row.first), output.moment(row.last)) for row in rows],
        right=frozenset({"count"}),
    )


@app.command()
def names(
    archived: Annotated[bool, typer.Option("--archived", help="Archived names too.")] = False,
    data: options.Data = None,
    workspace: options.InWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """List the names of all events and how many there are. First and last when, and metadata keys, stand beside. Times are UTC."""
    from ..wire import catalogue
    from .opening import opened

    with opened(options.existing_data(data)) as there:
        number = options.chosen(there.directory, workspace).number
        entries = sorted(there.directory.names.entries(number), key=lambda entry: entry.name.folded)
        totals = {total.name: total for total in there.events.name_totals(number)}
        keys = there.events.name_keys(number)
    bodies = [
        catalogue.item(entry, totals.get(entry.name.number), [key for key in keys if key.name == entry.name.number])
        for entry in entries
        if archived or entry.name.archived_at is None
    ]
    if as_json:
        output.json(bodies)
        return
    output.table(
        ("event", "count", "first (UTC)", "last (UTC)", "metadata"),
        [
            (
                output.safe(body.name) + (" (archived)" if body.archived_at is not None else ""),
                f"{body.count:,}",
                output.moment(body.first_seen_at),
                output.moment(body.last_seen_at),
                output.safe(", ".join(key.key for key in body.metadata)),
            )
            for body in bodies
        ],
        right=frozenset({"count"}),
    )
