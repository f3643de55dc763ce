"""Who did something most, and with which values of its metadata. Scopes: read_events, and read_contacts where contacts are named."""

from ...exports import standing
from ...wire import rankings as wire
from ..auth import allow
from ..call import Answer, Call
from .reports import as_csv, named


async def top_contacts(call: Call) -> Answer:
    """GET /-/api/reports/top-contacts. Raises TokenUnauthorized where the token may not read contacts."""
    allow(call.token, "read_contacts")
    asked = wire.parse_top(call.query)
    (entry,) = await named(call, [asked.name], "event_name")
    found = await call.services.analysis.ask("top_contacts", name=entry.number, limit=asked.limit, since=asked.since, until=asked.until)
    contacts = await call.services.in_thread(
        standing, call.services.directory, call.workspace.number, [each["contact"] for each in found["top"]]
    )
    body = wire.top_contacts(entry.name, asked, found, contacts)
    return as_csv(call, "top-contacts", wire.top_contacts_csv(body)) if asked.format == "csv" else Answer(body)


async def breakdown(call: Call) -> Answer:
    """GET /-/api/reports/breakdown. The values of one metadata key, by how many events have them."""
    asked = wire.parse_breakdown(call.query)
    (entry,) = await named(call, [asked.name], "event_name")
    found = await call.services.analysis.ask(
        "breakdown", name=entry.number, key=asked.key.casefold(), limit=asked.limit, since=asked.since, until=asked.until
    )
    body = wire.breakdown(entry.name, asked, found)
    return as_csv(call, "breakdown", wire.breakdown_csv(body)) if asked.format == "csv" else Answer(body)
