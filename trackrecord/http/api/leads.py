"""Leads of API 1.x over HTTP, where /contacts means them. Scopes: reading needs read_contacts, the rest write_contacts."""

from ...errors import ContactNotFound, ParameterNotFound
from ...ingest import move_events
from ...rules.contacts import Contact
from ...rules.users import Wanted
from ...wire import leads as wire
from ...wire import pages
from ...wire import users as wire_users
from ...wire.params import last, refuse_empty
from ..call import Answer, Call
from . import users


async def save_lead(call: Call) -> Answer:
    """POST /contacts under API 1.x. 200 with the lead: the one that id or user_id names, else a new one."""
    return await _saved(call, wire.parse_lead(call.body, now=call.now()))


async def update_lead(call: Call) -> Answer:
    """PUT /contacts/{contact_id} under API 1.x."""
    await users.found(call, "id", [call.path["contact_id"]], role="lead")
    return await _saved(call, wire.parse_lead(call.body, id=call.path["contact_id"], now=call.now()))


async def update_named_lead(call: Call) -> Answer:
    """PUT /contacts under API 1.x, for the lead that id or user_id in the body names."""
    wanted = wire.parse_lead(call.body, now=call.now())
    if wanted.id is None and wanted.user_id is None:
        raise ParameterNotFound("say which lead it is: id or user_id", field="user_id")
    kind, value = ("id", wanted.id) if wanted.id is not None else ("user_id", wanted.user_id or "")
    try:
        await users.found(call, kind, [value], role="lead")
    except ContactNotFound as error:
        error.field = kind
        raise
    return await _saved(call, wanted)


async def get_lead(call: Call) -> Answer:
    """GET /contacts/{contact_id} under API 1.x, by the id that is ours."""
    return Answer(await users.one(call, await users.found(call, "id", [call.path["contact_id"]], role="lead")))


async def get_leads(call: Call) -> Answer:
    """GET /contacts under API 1.x. With user_id the one lead who has it, else a page of all, or of those who have an email."""
    identified = wire_users.identified(call.query, "user_id")
    if identified is not None:
        return Answer(await users.one(call, await users.found(call, *identified, role="lead")))
    refuse_empty(call.query, "email")
    listed = wire_users.parse_listed(call.query, role="lead")._replace(email=last(call.query, "email"))
    page = pages.parse(call.query, per_page=wire_users.PER_PAGE_DEFAULT)
    leads, total = await call.services.in_background(
        call.workspace.number,
        call.services.directory.users.list,
        call.workspace.number,
        listed,
        offset=page.offset,
        limit=page.per_page,
        inside=await users.inside(call, listed),
    )
    following = pages.links(page, total, address=f"{call.base_url}/contacts", query=call.query)
    return Answer(wire.listing(await users.several(call, leads), pages=following, total_count=total))


async def scroll_leads(call: Call) -> Answer:
    """GET /contacts/scroll under API 1.x. All leads, a hundred at a time; one scroll at a time in a workspace."""
    param, leads = await users.scrolled(call, role="lead")
    return Answer(wire.scrolled(await users.several(call, leads), scroll_param=param))


async def archive_lead(call: Call) -> Answer:
    """DELETE /contacts/{contact_id} under API 1.x. 200 with the lead, which is hidden from then on."""
    archive = call.services.directory.users.archive
    lead = await call.services.in_thread(archive, call.workspace.number, call.path["contact_id"], role="lead", now=call.now())
    return Answer(await users.one(call, lead))


async def convert_lead(call: Call) -> Answer:
    """POST /contacts/convert under API 1.x. 200 with the user that the lead is now, or was merged into."""
    lead, user = wire.parse_conversion(call.body, now=call.now())
    contact, merged = await call.services.in_thread(
        call.services.directory.users.convert, call.workspace.number, lead, user, now=call.now(), profile=call.profile
    )
    if merged is not None:
        await move_events(call.services, call.workspace.number, merged, contact)
    return Answer(await users.one(call, contact))


async def _saved(call: Call, wanted: Wanted) -> Answer:
    lead: Contact = await call.services.in_thread(
        call.services.directory.users.save, call.workspace.number, wanted, now=call.now(), profile=call.profile
    )
    return Answer(await users.one(call, lead))
