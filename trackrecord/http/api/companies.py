"""Companies over HTTP. Scopes: reading needs read_contacts, the rest write_contacts."""

from ...rules.companies import CompanyFilter
from ...rules.contacts import cursor
from ...wire import companies as wire
from ...wire import pages
from ...wire.params import last, whole, word
from ...wire.segments import AttachedSegments
from ..call import Answer, Call
from . import shown as contacts_shown


async def save_company(call: Call) -> Answer:
    """POST /companies. 200 with the company, made or changed: found by company_id, without one by name."""
    shown = await call.services.in_thread(
        call.services.directory.companies.upsert,
        call.workspace.number,
        wire.parse_changes(call.body),
        now=call.now(),
        profile=call.profile,
    )
    return Answer(wire.item(shown, workspace=call.workspace))


async def get_companies(call: Call) -> Answer:
    """GET /companies. With company_id or name that company; else a page of the list, of one tag's with tag_id."""
    company_id, name = last(call.query, "company_id"), last(call.query, "name")
    if company_id is None and name is None:
        return await list_companies(call)
    shown = await call.services.in_thread(call.services.directory.companies.find, call.workspace.number, company_id=company_id, name=name)
    return Answer(wire.item(shown, workspace=call.workspace))


async def list_companies(call: Call) -> Answer:
    """POST /companies/list. A page of the list, the newest first; a body is passed over."""
    page = pages.parse(call.query, per_page=wire.PER_PAGE_DEFAULT)
    filtered = CompanyFilter(last(call.query, "tag_id"), last(call.query, "segment_id"))
    found, total = await call.services.in_background(
        call.workspace.number,
        call.services.directory.companies.list,
        call.workspace.number,
        limit=page.per_page,
        offset=page.offset,
        filtered=filtered,
        ascending=word(call.query, "order", ("asc", "desc")) == "asc",
    )
    links = pages.links(page, total, address=f"{call.base_url}/companies", query=call.query)
    return Answer(wire.listing(found, workspace=call.workspace, version=call.version, total=total, pages=links))


async def get_company(call: Call) -> Answer:
    """GET /companies/{company_id}, by the company's own id."""
    shown = await call.services.in_thread(call.services.directory.companies.get, call.workspace.number, call.path["company_id"])
    return Answer(wire.item(shown, workspace=call.workspace))


async def update_company(call: Call) -> Answer:
    """PUT /companies/{company_id}. What is sent changes, the rest stays; company_id never changes."""
    shown = await call.services.in_thread(
        call.services.directory.companies.update,
        call.workspace.number,
        call.path["company_id"],
        wire.parse_changes(call.body),
        now=call.now(),
        profile=call.profile,
    )
    return Answer(wire.item(shown, workspace=call.workspace))


async def delete_company(call: Call) -> Answer:
    """DELETE /companies/{company_id}. For good; its contacts stay."""
    company = await call.services.in_thread(call.services.directory.companies.delete, call.workspace.number, call.path["company_id"])
    return Answer(wire.deleted(company))


async def scroll_companies(call: Call) -> Answer:
    """GET /companies/scroll. All companies, page by page; one scroll at a time in a workspace."""
    directory, in_thread, workspace = call.services.directory, call.services.in_thread, call.workspace
    param = last(call.query, "scroll_param")
    if param is None:
        param = await in_thread(directory.scrolls.begin, workspace.number, "companies", now=call.now())
    after = await in_thread(directory.scrolls.after, workspace.number, "companies", param, now=call.now())
    found = await in_thread(directory.companies.after, workspace.number, after, limit=wire.SCROLL_PAGE)
    if found:
        place = str(found[-1].company.number)
        await in_thread(directory.scrolls.advance, workspace.number, "companies", param, place, now=call.now())
    else:
        await in_thread(directory.scrolls.end, workspace.number, "companies", param)
    return Answer(wire.scroll(found, workspace=workspace, version=call.version, param=param))


async def list_company_contacts(call: Call) -> Answer:
    """GET /companies/{company_id}/contacts. Pages of the contacts attached to it, as GET /contacts has them."""
    per_page = whole(call.query, "per_page", default=wire.PER_PAGE_OF_CONTACT, most=pages.PER_PAGE_MAX)
    starting_after = last(call.query, "starting_after")
    found, total_count, next_cursor = await call.services.in_background(
        call.workspace.number,
        call.services.directory.companies.contacts,
        call.workspace.number,
        call.path["company_id"],
        limit=per_page,
        after=starting_after,
    )
    page = cursor(starting_after).page if starting_after else 1
    return await contacts_shown.page(call, found, total_count=total_count, per_page=per_page, page=page, next_cursor=next_cursor)


async def list_company_segments(call: Call) -> Answer:
    """GET /companies/{company_id}/segments. Always empty: segments hold contacts here."""
    await call.services.in_thread(call.services.directory.companies.get, call.workspace.number, call.path["company_id"])
    return Answer(AttachedSegments(data=[]))


async def list_contact_companies(call: Call) -> Answer:
    """GET /contacts/{contact_id}/companies. Link pages, the latest attached first."""
    page = pages.parse(call.query, per_page=wire.PER_PAGE_OF_CONTACT)
    contact_id = call.path["contact_id"]
    found, total = await call.services.in_thread(
        call.services.directory.companies.of_contact, call.workspace.number, contact_id, limit=page.per_page, offset=page.offset
    )
    links = pages.links(page, total, address=f"{call.base_url}/contacts/{contact_id}/companies", query=call.query)
    return Answer(wire.attached(found, workspace=call.workspace, total=total, pages=links))


async def attach_company(call: Call) -> Answer:
    """POST /contacts/{contact_id}/companies. Answers the company."""
    shown = await call.services.in_thread(
        call.services.directory.companies.attach,
        call.workspace.number,
        call.path["contact_id"],
        wire.parse_company(call.body),
        now=call.now(),
    )
    return Answer(wire.item(shown, workspace=call.workspace))


async def detach_company(call: Call) -> Answer:
    """DELETE /contacts/{contact_id}/companies/{company_id}. Answers the company."""
    shown = await call.services.in_thread(
        call.services.directory.companies.detach, call.workspace.number, call.path["contact_id"], call.path["company_id"]
    )
    return Answer(wire.item(shown, workspace=call.workspace))
