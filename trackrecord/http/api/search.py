"""Contact search over HTTP. Scope: read_contacts."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from ...rules.filters import Known
from ...rules.search import Search, names_attributes, search
from ...rules.versions import has
from ...wire import search as wire
from ..call import Answer, Call
from . import shown


async def search_contacts(call: Call) -> Answer:
    """POST /contacts/search. A contact is found as soon as the answer that made or changed it is sent."""
    sent = wire.parse(call.body)
    asked = await read(call, sent.query, sent.sort)
    page, after = wire.place(sent.starting_after, asked)
    found = await call.services.in_background(
        call.workspace.number,
        call.services.directory.searches.page,
        call.workspace.number,
        replace(asked, query=await call.services.segments.resolved(call.workspace, asked.query)),
        limit=sent.per_page,
        after=after,
        within_s=call.services.settings.search_max_s,
        long=True,
    )
    following = None if found.next is None else wire.cursor(page + 1, found.next, asked)
    return await shown.page(call, found.contacts, total_count=found.total_count, per_page=sent.per_page, page=page, next_cursor=following)


async def read(call: Call, query: object, sort: object) -> Search:
    """A search as it was sent. Raises what rules.search.search raises."""
    known = Known(
        attributes=await _attributes(call) if names_attributes(query, sort) else {},
        zone=ZoneInfo(call.workspace.timezone),
        exact_dates=call.services.settings.search_dates == "exact",
        formatted_phone=has(call.version, "formatted_phone"),
    )
    return search(query, sort, known)


async def _attributes(call: Call) -> Mapping[str, str]:
    """The types of the contacts' custom attributes; archived ones too, as contacts still have their values."""
    found: Any = await call.services.in_thread(call.services.directory.attributes.list, call.workspace.number, include_archived=True)
    return {each.name: each.data_type for each in found}
