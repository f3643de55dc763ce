"""The log of refused requests over HTTP. Scope: read_requests."""

from ...wire import requests as wire
from ..call import Answer, Call


async def list_requests(call: Call) -> Answer:
    """GET /-/api/requests. Newest first; those of the token's workspace alone, so not those that came without a good token."""
    wanted, asked, before = wire.parse(call.query)
    found = await call.services.in_background(
        call.workspace.number,
        call.services.requests.search,
        wanted,
        limit=asked.per_page + 1,
        workspace=call.workspace.number,
        before=before,
    )
    entries = found.entries[: asked.per_page]
    return Answer(wire.listing(entries, asked=asked, total_count=found.total, more=len(found.entries) > asked.per_page))
