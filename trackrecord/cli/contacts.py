"""`trackrecord contacts`: one contact, for a quick look."""

import msgspec
import typer

from . import options, output, whose

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at one contact. A server may run meanwhile.")

TIMES = frozenset({"created_at", "updated_at", "signed_up_at", "last_seen_at"})


@app.callback()
def _contacts() -> None:
    """Look at one contact. A server may run meanwhile."""


@app.command()
def show(
    who: whose.Who = None,
    id: whose.ById = None,
    user_id: whose.ByUserId = None,
    email: whose.ByEmail = None,
    data: options.Data = None,
    workspace: options.InWorkspace = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what is known of a contact, and how often it did what. Times are UTC."""
    from ..exports import exported_contact
    from .opening import opened

    with opened(options.existing_data(data)) as there:
        chosen = options.chosen(there.directory, workspace)
        contact = whose.contact(there.directory, chosen, who=who, id=id, user_id=user_id, email=email)
        rows = there.events.summary(contact.number)
        names = there.directory.names.by_numbers({row.name for row in rows})
    known = msgspec.structs.asdict(exported_contact(contact))
    counts = [{"event_name": names[row.name].name, "count": row.count, "first": row.first, "last": row.last} for row in rows]
    if as_json:
        output.json({**known, "events": counts})
        return
    attributes = known.pop("custom_attributes")
    shown = [(name, _shown(name, value)) for name, value in known.items() if value is not None]
    shown += [(f"custom_attributes.{output.safe(name)}", _shown(name, value)) for name, value in attributes.items()]
    output.table(("field", "value"), shown)
    if rows:
        print()
        output.table(
            ("event", "count", "first (UTC)", "last (UTC)"),
            [(output.safe(names[row.name].name), f"{row.count:,}", output.moment(row.first), output.moment(row.last)) for row in rows],
            right=frozenset({"count"}),
        )


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if name in TIMES and isinstance(value, int):
        return output.moment(value)
    return output.safe(str(value))
